/* Tells whether a JSON text certainly fits a contract, without making a Python object.
 *
 * `Fitter(plan).fits(text)` walks the text once, beside a plan that `fitting.py` makes of a contract. True means that
 * msgspec would decode this text, and that every check after it would pass. False means no more than "not certain", and
 * msgspec decides. So whatever is unusual is False here: an escape in a key, \u, a key given twice, a number of more
 * than 18 digits, a fraction, null, a key that is not in the contract. Errors, repairs and messages stay in Python.
 *
 * Rules of the walk, for reviewers:
 * - `p` is never beyond `end`, and CPython keeps a NUL at `end`: so `*p` may be read, and matches nothing. Whatever
 *   reads more than one byte compares with `end` first.
 * - A function that walks returns the place after what it has read, or NULL for "not certain".
 * - Recursion follows the plan, not the text, and a plan is at most MAX_DEPTH deep.
 * - A Fitter never changes once it is made, and the module has no state: threads share fitters, even without the GIL.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#if defined(WWSPEC_PORTABLE)
#elif defined(__SSE2__)
#define USE_SSE2
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define USE_NEON
#include <arm_neon.h>
#endif

enum {
    MAX_DEPTH = 64,    /* of a plan, and so of a text that fits it */
    MAX_KEYS = 64,     /* of one object: they are bits of a uint64_t */
    MAX_NODES = 20000, /* of one plan */
    MAX_DIGITS = 18,   /* so that every number fits a long long */
    SLOTS = 128,       /* of the table of keys; a power of 2, above MAX_KEYS */
    HEAD = 16,         /* bytes of a key that are compared in one step */
    KEEP_GIL = 1 << 19 /* bytes up to which giving up the GIL costs more than it brings: see benchmarks/README.md */
};

typedef enum { NEVER, TEXT, TEXTS, INTEGER, INTEGERS, BOOLEAN, LIST, OBJECT } Kind;

typedef struct Node Node;

typedef struct {
    const char *start; /* UTF-8, owned by the plan */
    Py_ssize_t size;   /* bytes */
} Text;

typedef struct {
    Text name;
    uint64_t head[2], mask[2]; /* the first HEAD bytes of the name with the quote after it; which bits those are */
    Node *value;
} Key;

struct Node {
    Kind kind;
    long long least, most; /* INTEGER: value; TEXT: characters; LIST: items */
    long long max_bytes;   /* TEXT */
    Py_ssize_t count;      /* of what is listed below */
    Text *texts;           /* TEXTS: all that are allowed */
    long long *integers;   /* INTEGERS: all that are allowed, in ascending order */
    Node *item;            /* LIST */
    Key *keys;             /* OBJECT: in the order of the contract */
    uint64_t required;     /* OBJECT: bits of the keys that must be there */
    uint8_t *slots;        /* OBJECT: from a hash to the index of a key, plus 1 */
};

typedef struct {
    PyObject_HEAD
    PyObject *plan; /* owns the texts of the nodes */
    Node *root;
} Fitter;

/* ---- The walk. No Python object is touched here, and the GIL may be free. ---- */

/* Two functions call each other. The rest is compiled into them: a call takes as long as a short value. */
#define WALK static __attribute__((noinline)) const uint8_t *
#define INLINE static inline __attribute__((always_inline)) const uint8_t *
WALK walk_list(const Node *node, const uint8_t *p, const uint8_t *end);
WALK walk_object(const Node *node, const uint8_t *p, const uint8_t *end, uint8_t *next);

static inline const uint8_t *skip_space(const uint8_t *p) {
    while (*p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

/* Returns the first quote, backslash or control character; `end` when there is none. */
static inline const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end) {
#if defined(USE_SSE2)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)p);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        int mask = _mm_movemask_epi8(found);
        if (mask != 0) return p + __builtin_ctz((unsigned)mask);
    }
#elif defined(USE_NEON)
    for (; end - p >= 16; p += 16) {
        uint8x16_t bytes = vld1q_u8(p);
        uint8x16_t found = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\')));
        found = vorrq_u8(found, vcleq_u8(bytes, vdupq_n_u8(0x1f)));
        /* four bits for each byte */
        uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(found), 4)), 0);
        if (mask != 0) return p + (__builtin_ctzll(mask) >> 2);
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && *p > 0x1f) p++;
    return p;
}

/* Returns the closing quote of a string; `p` is after the opening one. */
static inline const uint8_t *closing_quote(const uint8_t *p, const uint8_t *end) {
    for (;;) {
        p = skip_plain(p, end);
        if (*p == '"') return p;
        if (*p != '\\') return NULL;
        switch (p[1]) { /* at the latest the NUL at `end` */
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': p += 2; break;
        default: return NULL;
        }
    }
}

/* Counts the characters of a string that `closing_quote` has passed. */
static long long characters(const uint8_t *p, const uint8_t *end) {
    long long count = 0;
    for (; p < end; p++, count++) {
        if (*p == '\\') p++;
        while ((p[1] & 0xc0) == 0x80) p++; /* the rest of one character; the quote at `end` is none of it */
    }
    return count;
}

INLINE walk_text(const Node *node, const uint8_t *p, const uint8_t *end) {
    if (*p != '"') return NULL;
    const uint8_t *start = p + 1;
    p = closing_quote(start, end);
    if (p == NULL || p - start > node->max_bytes) return NULL; /* an escape is longer than what it stands for */
    if (node->least > 0 || p - start > node->most) {
        long long count = characters(start, p);
        if (count < node->least || count > node->most) return NULL;
    }
    return p + 1;
}

static const uint8_t *walk_texts(const Node *node, const uint8_t *p, const uint8_t *end) {
    if (*p != '"') return NULL;
    const uint8_t *start = p + 1;
    p = closing_quote(start, end);
    if (p == NULL || memchr(start, '\\', (size_t)(p - start)) != NULL) return NULL;
    for (Py_ssize_t i = 0; i < node->count; i++) {
        const Text *text = &node->texts[i];
        if (text->size == p - start && memcmp(text->start, start, (size_t)text->size) == 0) return p + 1;
    }
    return NULL;
}

static int is_listed(const Node *node, long long value) {
    Py_ssize_t low = 0, high = node->count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (node->integers[middle] < value) low = middle + 1;
        else high = middle;
    }
    return low < node->count && node->integers[low] == value;
}

INLINE walk_integer(const Node *node, const uint8_t *p) {
    int is_negative = *p == '-';
    p += is_negative;
    const uint8_t *start = p;
    long long value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (p - start == MAX_DIGITS) return NULL;
        value = value * 10 + (*p - '0');
    }
    if (p == start || (*start == '0' && (p - start > 1 || is_negative)) || *p == '.' || *p == 'e' || *p == 'E') {
        return NULL;
    }
    if (is_negative) value = -value;
    int fits = node->kind == INTEGER ? value >= node->least && value <= node->most : is_listed(node, value);
    return fits ? p : NULL;
}

static const uint8_t *walk_boolean(const uint8_t *p, const uint8_t *end) {
    if (end - p >= 4 && memcmp(p, "true", 4) == 0) return p + 4;
    if (end - p >= 5 && memcmp(p, "false", 5) == 0) return p + 5;
    return NULL;
}

/* `next` says for an object which key came after which in the one before it, and is NULL when there was none. */
INLINE walk(const Node *node, const uint8_t *p, const uint8_t *end, uint8_t *next) {
    switch (node->kind) {
    case TEXT: return walk_text(node, p, end);
    case TEXTS: return walk_texts(node, p, end);
    case INTEGER: case INTEGERS: return walk_integer(node, p);
    case BOOLEAN: return walk_boolean(p, end);
    case LIST: return walk_list(node, p, end);
    case OBJECT: return walk_object(node, p, end, next);
    case NEVER: break;
    }
    return NULL;
}

WALK walk_list(const Node *node, const uint8_t *p, const uint8_t *end) {
    if (*p != '[') return NULL;
    p = skip_space(p + 1);
    if (*p == ']') return node->least > 0 ? NULL : p + 1;
    uint8_t next[MAX_KEYS + 1];
    for (int i = 0; i <= MAX_KEYS; i++) next[i] = (uint8_t)i;
    for (long long count = 1;; count++) {
        p = walk(node->item, p, end, next);
        if (p == NULL) return NULL;
        p = skip_space(p);
        if (*p == ']') return count < node->least || count > node->most ? NULL : p + 1;
        if (*p != ',') return NULL;
        p = skip_space(p + 1);
    }
}

/* Of three bytes and the size: keys of one contract seldom agree in all of them, and then `find_key` looks on. */
static inline unsigned hash_of(const uint8_t *name, Py_ssize_t size) {
    if (size == 0) return 0;
    return (unsigned)(name[0] * 37 + name[size / 2] * 11 + name[size - 1] * 5 + size) % SLOTS;
}

static inline int is_whole_key(const Key *key, const uint8_t *p, const uint8_t *end) {
    Py_ssize_t size = key->name.size;
    return end - p > size && p[size] == '"' && memcmp(p, key->name.start, (size_t)size) == 0;
}

static inline int is_key(const Key *key, const uint8_t *p, const uint8_t *end) {
    if (end - p < HEAD) return is_whole_key(key, p, end);
    uint64_t head[2];
    memcpy(head, p, HEAD);
    if (((head[0] & key->mask[0]) ^ key->head[0]) | ((head[1] & key->mask[1]) ^ key->head[1])) return 0;
    return key->name.size < HEAD || is_whole_key(key, p, end);
}

/* Returns the index of the key at `p`, which is after the opening quote; -1 when it is none of the object's. */
static Py_ssize_t find_key(const Node *node, const uint8_t *p, const uint8_t *end) {
    const uint8_t *quote = skip_plain(p, end);
    if (*quote != '"') return -1;
    /* Ends at an empty slot: there are more slots than keys. */
    for (unsigned slot = hash_of(p, quote - p); node->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        Py_ssize_t index = node->slots[slot] - 1;
        if (is_key(&node->keys[index], p, end)) return index;
    }
    return -1;
}

WALK walk_object(const Node *node, const uint8_t *p, const uint8_t *end, uint8_t *next) {
    if (*p != '{') return NULL;
    p = skip_space(p + 1);
    if (*p == '}') return node->required == 0 ? p + 1 : NULL;
    uint64_t seen = 0;
    Py_ssize_t place = 0; /* 1 more than the index of the key before */
    for (;;) {
        if (*p != '"') return NULL;
        p++;
        Py_ssize_t index = next == NULL ? place : next[place]; /* mostly in the order of the contract, or as before */
        if (index >= node->count || !is_key(&node->keys[index], p, end)) {
            index = find_key(node, p, end);
            if (index < 0) return NULL;
            if (next != NULL) next[place] = (uint8_t)index;
        }
        uint64_t bit = (uint64_t)1 << index;
        if (seen & bit) return NULL;
        seen |= bit;
        place = index + 1;
        p = skip_space(p + node->keys[index].name.size + 1);
        if (*p != ':') return NULL;
        p = walk(node->keys[index].value, skip_space(p + 1), end, NULL);
        if (p == NULL) return NULL;
        p = skip_space(p);
        if (*p == '}') return (seen & node->required) == node->required ? p + 1 : NULL;
        if (*p != ',') return NULL;
        p = skip_space(p + 1);
    }
}

static int fits_whole(const Node *root, const uint8_t *text, const uint8_t *end) {
    const uint8_t *p = walk(root, skip_space(text), end, NULL);
    return p != NULL && skip_space(p) == end;
}

/* ---- Plans. A function here returns NULL or -1 with a Python exception set. ---- */

static void free_node(Node *node) {
    if (node == NULL) return;
    free_node(node->item);
    for (Py_ssize_t i = 0; node->keys != NULL && i < node->count; i++) free_node(node->keys[i].value);
    PyMem_Free(node->texts);
    PyMem_Free(node->integers);
    PyMem_Free(node->keys);
    PyMem_Free(node->slots);
    PyMem_Free(node);
}

static int refuse(const char *reason) {
    PyErr_SetString(PyExc_ValueError, reason);
    return -1;
}

static int read_text(PyObject *object, Text *text) {
    if (!PyUnicode_Check(object)) return refuse("a plan's keys and texts are of the type str");
    text->start = PyUnicode_AsUTF8AndSize(object, &text->size);
    return text->start == NULL ? -1 : 0;
}

static void *new_array(Py_ssize_t count, size_t size) {
    void *array = PyMem_Calloc((size_t)count + 1, size); /* one more, since of no bytes it may be NULL */
    if (array == NULL) PyErr_NoMemory();
    return array;
}

static int read_texts(Node *node, PyObject *values) {
    node->texts = new_array(PyTuple_GET_SIZE(values), sizeof(Text));
    if (node->texts == NULL) return -1;
    for (; node->count < PyTuple_GET_SIZE(values); node->count++) {
        if (read_text(PyTuple_GET_ITEM(values, node->count), &node->texts[node->count]) < 0) return -1;
    }
    return 0;
}

static int read_integers(Node *node, PyObject *values) {
    node->integers = new_array(PyTuple_GET_SIZE(values), sizeof(long long));
    if (node->integers == NULL) return -1;
    for (; node->count < PyTuple_GET_SIZE(values); node->count++) {
        long long value = PyLong_AsLongLong(PyTuple_GET_ITEM(values, node->count));
        if (value == -1 && PyErr_Occurred()) return -1;
        if (node->count > 0 && value <= node->integers[node->count - 1]) {
            return refuse("a plan's integers are in ascending order");
        }
        node->integers[node->count] = value;
    }
    return 0;
}

static Node *read_plan(PyObject *plan, int depth, int *nodes);

static int read_keys(Node *node, PyObject *keys, int depth, int *nodes) {
    if (PyTuple_GET_SIZE(keys) > MAX_KEYS) return refuse("a plan's object has at most 64 keys");
    node->keys = new_array(PyTuple_GET_SIZE(keys), sizeof(Key));
    node->slots = new_array(SLOTS, sizeof(uint8_t));
    if (node->keys == NULL || node->slots == NULL) return -1;
    for (; node->count < PyTuple_GET_SIZE(keys); node->count++) {
        PyObject *name, *value, *entry = PyTuple_GET_ITEM(keys, node->count);
        int is_required;
        Key *key = &node->keys[node->count];
        if (!PyTuple_Check(entry)) return refuse("a key is a tuple of name, plan and required");
        if (!PyArg_ParseTuple(entry, "OOp", &name, &value, &is_required)) return -1;
        if (read_text(name, &key->name) < 0) return -1;
        const uint8_t *start = (const uint8_t *)key->name.start;
        size_t size = (size_t)key->name.size;
        if (skip_plain(start, start + size) != start + size) return refuse("a plan's key needs an escape");
        memset(key->mask, 0xff, size < HEAD ? size + 1 : HEAD);
        memcpy(key->head, start, size < HEAD ? size : HEAD);
        if (size < HEAD) ((char *)key->head)[size] = '"';
        key->value = read_plan(value, depth + 1, nodes);
        if (key->value == NULL) return -1;
        if (is_required) node->required |= (uint64_t)1 << node->count;
        unsigned slot = hash_of(start, key->name.size);
        while (node->slots[slot] != 0) slot = (slot + 1) % SLOTS;
        node->slots[slot] = (uint8_t)(node->count + 1);
    }
    return 0;
}

static int read_node(Node *node, PyObject *plan, int depth, int *nodes) {
    PyObject *inner;
    if (!PyTuple_Check(plan) || PyTuple_GET_SIZE(plan) == 0 || !PyUnicode_Check(PyTuple_GET_ITEM(plan, 0))) {
        return refuse("a plan is None, or a tuple that begins with its kind");
    }
    const char *kind = PyUnicode_AsUTF8(PyTuple_GET_ITEM(plan, 0));
    if (kind == NULL) return -1;
    static const char *const kinds[] = {"never", "text", "texts", "integer", "integers", "boolean", "list", "object"};
    for (Kind each = TEXT; each <= OBJECT; each++) if (strcmp(kind, kinds[each]) == 0) node->kind = each;
    switch (node->kind) {
    case TEXT: return PyArg_ParseTuple(plan, "sLLL", &kind, &node->least, &node->most, &node->max_bytes) ? 0 : -1;
    case INTEGER: return PyArg_ParseTuple(plan, "sLL", &kind, &node->least, &node->most) ? 0 : -1;
    case BOOLEAN: return 0;
    case TEXTS: return PyArg_ParseTuple(plan, "sO!", &kind, &PyTuple_Type, &inner) ? read_texts(node, inner) : -1;
    case INTEGERS: return PyArg_ParseTuple(plan, "sO!", &kind, &PyTuple_Type, &inner) ? read_integers(node, inner) : -1;
    case LIST:
        if (!PyArg_ParseTuple(plan, "sOLL", &kind, &inner, &node->least, &node->most)) return -1;
        return (node->item = read_plan(inner, depth + 1, nodes)) == NULL ? -1 : 0;
    case OBJECT:
        return PyArg_ParseTuple(plan, "sO!", &kind, &PyTuple_Type, &inner) ? read_keys(node, inner, depth, nodes) : -1;
    case NEVER: break;
    }
    return refuse("a plan has no node of this kind");
}

static Node *read_plan(PyObject *plan, int depth, int *nodes) {
    if (depth > MAX_DEPTH || ++*nodes > MAX_NODES) {
        refuse("the plan is too deep or too large");
        return NULL;
    }
    Node *node = new_array(0, sizeof(Node));
    if (node == NULL || plan == Py_None) return node; /* of the kind NEVER */
    if (read_node(node, plan, depth, nodes) == 0) return node;
    free_node(node);
    return NULL;
}

/* ---- The type and the module. ---- */

static PyObject *fitter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *plan;
    int nodes = 0;
    static char *names[] = {"plan", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Fitter", names, &plan)) return NULL;
    Node *root = read_plan(plan, 1, &nodes);
    if (root == NULL) return NULL;
    Fitter *self = (Fitter *)type->tp_alloc(type, 0);
    if (self == NULL) {
        free_node(root);
        return NULL;
    }
    self->plan = Py_NewRef(plan);
    self->root = root;
    return (PyObject *)self;
}

static void fitter_dealloc(Fitter *self) {
    PyTypeObject *type = Py_TYPE(self);
    free_node(self->root);
    Py_XDECREF(self->plan);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *fitter_fits(Fitter *self, PyObject *text) {
    if (!PyUnicode_Check(text)) {
        return PyErr_Format(PyExc_TypeError, "fits() takes a str, not %s", Py_TYPE(text)->tp_name);
    }
    if (!PyUnicode_CheckExact(text)) Py_RETURN_FALSE; /* msgspec refuses it */
    Py_ssize_t size;
    const uint8_t *start = (const uint8_t *)PyUnicode_AsUTF8AndSize(text, &size);
    if (start == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return NULL;
        PyErr_Clear(); /* half of a surrogate pair */
        Py_RETURN_FALSE;
    }
    PyThreadState *state = size > KEEP_GIL ? PyEval_SaveThread() : NULL;
    int fits = fits_whole(self->root, start, start + size);
    if (state != NULL) PyEval_RestoreThread(state);
    return PyBool_FromLong(fits);
}

static PyMethodDef fitter_methods[] = {
    {"fits", (PyCFunction)fitter_fits, METH_O, PyDoc_STR("Tell whether a text certainly fits.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot fitter_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Tells whether JSON texts certainly fit a plan.")},
    {Py_tp_new, fitter_new},
    {Py_tp_dealloc, fitter_dealloc},
    {Py_tp_methods, fitter_methods},
    {0, NULL},
};

static PyType_Spec fitter_spec = {
    .name = "wwspec_router.codecs.speedups.Fitter",
    .basicsize = sizeof(Fitter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = fitter_slots,
};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &fitter_spec, NULL);
    int result = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return result;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030d0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "speedups",
    .m_doc = PyDoc_STR("The compiled check of contracts; optional."),
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_speedups(void) {
    return PyModuleDef_Init(&module);
}
