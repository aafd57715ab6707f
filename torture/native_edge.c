/* The compiled check with one function more: it walks a text whose closing NUL is the last byte of readable memory.
 * Whatever reads one byte beyond that ends the process. Built by native_builds.py; no part of the program. */
#define PyInit_speedups init_without_edge
#include "speedups.c"
#undef PyInit_speedups

#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 1 << 20 };

static PyObject *fits_at_edge(PyObject *self, PyObject *args) {
    (void)self;
    Fitter *fitter;
    const char *text;
    Py_ssize_t size, page = (Py_ssize_t)sysconf(_SC_PAGESIZE);
    if (!PyArg_ParseTuple(args, "Oy#", &fitter, &text, &size)) return NULL;
    if (size >= ROOM) Py_RETURN_FALSE;
    Py_ssize_t room = (size + 1 + page - 1) / page * page;
    uint8_t *memory = mmap(NULL, (size_t)(room + page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + room, (size_t)page, PROT_NONE) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    uint8_t *start = memory + room - size - 1;
    memcpy(start, text, (size_t)size);
    int fits = fits_whole(fitter->root, start, start + size);
    munmap(memory, (size_t)(room + page));
    return PyBool_FromLong(fits);
}

static PyMethodDef edge_methods[] = {
    {"fits_at_edge", fits_at_edge, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef edge_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "speedups",
    .m_methods = edge_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_speedups(void);

PyMODINIT_FUNC PyInit_speedups(void) {
    return PyModuleDef_Init(&edge_module);
}
