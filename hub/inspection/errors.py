"""The answers that a file may get, each with a code and a sentence that says what to do."""

from __future__ import annotations

from hub.core.errors import Invalid

SENTENCES = {
    "file_broken": "The file is damaged or is not what its name says. Open it, save it again and choose the new file",
    "file_two_kinds": "The file is of two kinds at once, which is a way to hide something. Save it again and choose the new file",
    "file_locked": "The file is protected by a password, so nobody can check it. Take the password off and choose it again",
    "file_unchecked": "The file is too large to be checked. Split it, or save it smaller",
    "text_controls": "The file has characters that text does not have, so it is not text",
    "zip_bomb": "The file would unpack to far more than it says or than can be checked",
    "zip_entries": "The file has more parts than can be checked",
    "zip_path": "A part of the file has a name that points outside of it, or that stands there twice",
    "zip_link": "A part of the file is a link to something else",
    "zip_layout": "The parts of the file are not where its list says. Open it, save it again and choose the new file",
    "office_kind": "The content of the file is of another kind of document than its name says",
    "office_macro": "The document has macros, which are programs. Save it without them (.docx, .xlsx, .pptx or PDF)",
    "office_embedded": (
        "The document has another file inside. Attach that file by itself, and replace it by a picture, or save the document as PDF"
    ),
    "office_external": (
        "The document loads something from elsewhere when it is opened, such as a template, a picture or another workbook."
        " Break the links, or save it as PDF"
    ),
    "picture_pixels": "The picture has more than 100 million points. Save it smaller",
    "picture_frames": "The moving picture has too many frames. Save it as a video",
    "picture_broken": "The picture is damaged or is not what its name says. Save it again and choose the new file",
    "pdf_broken": "The PDF is damaged or has no pages. Print it to a new PDF and choose that",
    "pdf_locked": "The PDF is protected by a password, so nobody can check it. Take the password off and choose it again",
    "pdf_script": "The PDF has a script in it. Print it to a new PDF and choose that",
    "pdf_launch": "The PDF starts something or sends something when it is used. Print it to a new PDF and choose that",
    "pdf_form": "The PDF is a form that is made by a program inside it (XFA). Print it to a new PDF and choose that",
    "pdf_embedded": "The PDF has other files inside. Attach them by themselves, and print the PDF to a new one",
    "pdf_unclear": "Parts of the PDF are packed so that nobody can check them. Print it to a new PDF and choose that",
    "too_costly": "The file takes more time or memory to open than any ordinary file of its kind",
    "no_page": "There is no such page in this file",
}  # fmt: skip


class Refused(Invalid):
    """The file is not taken. The sentence stands beside the field of the form."""

    def __init__(self, code: str) -> None:
        super().__init__(code, SENTENCES[code], errors={"file": SENTENCES[code]})
