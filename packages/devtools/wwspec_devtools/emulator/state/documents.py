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


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An online document (with a `doc_type`) or a file of the drive (without)."""

    docid: str
    name: str
    text: str
    creator: str
    create_time: int
    """Unix seconds."""
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


DOCUMENTS = {
    document.docid: document
    for document in (
        Document(
            docid="doc_emulator_weekly",
            name="项目周报",
            text="本周完成十家客户回访，两家决定续签，一家投诉交货太慢。",
            creator="zhangwei",
            create_time=1_735_689_600,
            doc_type=ONLINE_DOCUMENT,
        ),
        Document(
            docid="doc_emulator_customers",
            name="客户跟进表",
            text="重点客户：报价已发，等待合同；老客户：发票已开。",
            creator="wangfang",
            create_time=1_738_368_000,
            doc_type=ONLINE_SHEET,
        ),
        Document(
            docid="doc_emulator_salaries",
            name="薪酬方案",
            text="本年度薪酬方案，仅限人事查阅。",
            creator="liuyang",
            create_time=1_738_368_000,
            doc_type=ONLINE_DOCUMENT,
            readers=("chenjing",),
        ),
        Document(
            docid="doc_emulator_draft",
            name="合同草稿",
            text="尚未分享给任何人的合同草稿。",
            creator="zhangwei",
            create_time=1_738_368_000,
            doc_type=ONLINE_DOCUMENT,
            is_shared=False,
        ),
        Document(
            docid="doc_emulator_slides",
            name="季度汇报",
            text="季度汇报的幻灯片。",
            creator="zhangwei",
            create_time=1_738_368_000,
            doc_type=_SLIDES,
        ),
        Document(
            docid="file_emulator_contract",
            name="合同模板.docx",
            text="甲乙双方就产品采购达成如下合同，交货期为十个工作日。",
            creator="lina",
            create_time=1_740_787_200,
        ),
        Document(
            docid="file_emulator_private",
            name="个人合同.docx",
            text="我的空间里的合同，没有共享。",
            creator="lina",
            create_time=1_740_787_200,
            is_shared=False,
        ),
        Document(
            docid="file_emulator_picture",
            name="合同扫描件.png",
            text="",
            creator="lina",
            create_time=1_740_787_200,
        ),
    )
}
"""By docid or wedrive_fileid."""
