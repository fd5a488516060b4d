"""A plain PDF of text lines: enough for a link to lead to a file that opens."""

from typing import Final

_LINES_A_PAGE: Final = 46
_WIDTH: Final = 96


def simple_pdf(lines: list[str]) -> bytes:
    """A4, Helvetica; letters outside Latin-1 become question marks."""
    pages = [lines[start : start + _LINES_A_PAGE] for start in range(0, max(len(lines), 1), _LINES_A_PAGE)]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, page in enumerate(pages):
        content = _content(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
            f" /Contents {5 + 2 * index} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _assembled(objects)


def _content(page: list[str]) -> bytes:
    shown = [line[:_WIDTH].replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in page]
    text = "\n".join(f"({line}) Tj T*" for line in shown)
    return f"BT /F1 11 Tf 16 TL 50 790 Td\n{text}\nET".encode("latin-1", "replace")


def _assembled(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    )
