"""Online documents and drive files of an emulated corp, for models that read documents [99875].

The same whatever the seed. Fields are those that `doc_retrieval_params` asks for.
"""

import msgspec

ONLINE_DOCUMENT, ONLINE_SHEET, SMART_SHEET, MIND_MAP, SMART_DOCUMENT = 8, 9, 19, 20, 21
READABLE_TYPES = (ONLINE_DOCUMENT, ONLINE_SHEET, SMART_SHEET, MIND_MAP, SMART_DOCUMENT)
"""Kinds of online document that a model reads."""
READABLE_FILES = (".txt", ".pdf", ".xls", ".xlsx", ".doc", ".docx", ".csv")
"""Kinds of drive file that a model reads."""
_SLIDES = 6
"""A kind that no model reads, by the number of the picker of documents [101499]."""


class Document(msgspec.Struct, frozen=True):
    """An online document (with a `doc_type`) or a file of the drive (without)."""

    docid: str
    name: str
    creator: str
    create_time: int
    """Unix seconds."""
    text: str
    doc_type: int = 0
    is_shared: bool = True
    """False for an online document of one member, and for a file in a space that is not shared."""
    readers: tuple[str, ...] = ()
    """The userids that may read it, besides the creator; everybody when empty."""

    @property
    def url(self) -> str:
        """Its address, by which fragments of it are named."""
        return f"https://doc.weixin.qq.com/{'doc' if self.doc_type else 'file'}/{self.docid}"

    @property
    def is_readable(self) -> bool:
        """Whether it is of a kind that a model reads."""
        return self.doc_type in READABLE_TYPES if self.doc_type else self.name.endswith(READABLE_FILES)

    def has_reader(self, userid: str) -> bool:
        """Return whether a member may read it."""
        return not self.readers or userid in (self.creator, *self.readers)


class Excerpt(msgspec.Struct, frozen=True):
    """A piece of text for a model, and by what it is named."""

    ref: str
    text: str


_JANUARY, _FEBRUARY, _MARCH = 1_735_689_600, 1_738_368_000, 1_740_787_200
_WEEKLY = "本周完成十家客户回访，两家决定续签，一家投诉交货太慢。"
_CUSTOMERS = "重点客户：报价已发，等待合同；老客户：发票已开。"
_CONTRACT = "甲乙双方就产品采购达成如下合同，交货期为十个工作日。"
_SALARIES = "本年度薪酬方案，仅限人事查阅。"
_ROWS = (
    Document("doc_emulator_weekly", "项目周报", "zhangwei", _JANUARY, _WEEKLY, ONLINE_DOCUMENT),
    Document("doc_emulator_customers", "客户跟进表", "wangfang", _FEBRUARY, _CUSTOMERS, ONLINE_SHEET),
    Document(
        "doc_emulator_salaries", "薪酬方案", "liuyang", _FEBRUARY, _SALARIES, ONLINE_DOCUMENT, readers=("chenjing",)
    ),
    Document(
        *("doc_emulator_draft", "合同草稿", "zhangwei", _FEBRUARY, "尚未分享给任何人的合同草稿。", ONLINE_DOCUMENT),
        is_shared=False,
    ),
    Document("doc_emulator_slides", "季度汇报", "zhangwei", _FEBRUARY, "季度汇报的幻灯片。", _SLIDES),
    Document("file_emulator_contract", "合同模板.docx", "lina", _MARCH, _CONTRACT),
    Document("file_emulator_private", "个人合同.docx", "lina", _MARCH, "我的空间里的合同，没有共享。", is_shared=False),
    Document("file_emulator_picture", "合同扫描件.png", "lina", _MARCH, ""),
)
DOCUMENTS = {document.docid: document for document in _ROWS}
"""By docid or wedrive_fileid."""
