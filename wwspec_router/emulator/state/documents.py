"""Online documents and drive files of an emulated corp, for models that read documents [99875].

The same whatever the seed. Fields are those that `doc_retrieval_params` asks for.
"""

import msgspec

ONLINE_DOCUMENT, ONLINE_SHEET = 8, 9


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An online document (with a `doc_type`) or a file of the drive (without)."""

    docid: str
    name: str
    text: str
    creator: str
    create_time: int
    """Unix seconds."""
    doc_type: int = 0


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
            docid="file_emulator_contract",
            name="合同模板.docx",
            text="甲乙双方就产品采购达成如下合同，交货期为十个工作日。",
            creator="lina",
            create_time=1_740_787_200,
        ),
    )
}
"""By docid or wedrive_fileid."""
