"""HTML made readable as Markdown, so that headings, lists, tables and code keep their meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import DocumentError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_NOT_TEXT = ("script", "style", "template", "noscript", "svg", "iframe", "head", "nav", "form", "button")


def html_to_markdown(content: bytes) -> tuple[str, str]:
    """Return the title of a page and its text as Markdown.

    The text of `<main>`, else of a single `<article>`, else of `<body>` counts: navigation, forms and scripts are
    left out. The encoding is the one that the page declares, else UTF-8. Pictures become their alternative text.

    Args:
        content: The page's bytes.

    Raises:
        DocumentError: The page is not in the encoding that it declares, or it is nested too deeply.
    """
    from bs4 import BeautifulSoup  # noqa: PLC0415 - takes 0.1 s, and most documents are Markdown
    from markdownify import MarkdownConverter  # noqa: PLC0415 - as above

    page = BeautifulSoup(_decoded(content), "html.parser")
    try:
        title = " ".join(page.title.get_text().split()) if page.title else ""
        root = _main_part(page)
        for tag in root.find_all(_NOT_TEXT):
            tag.decompose()
        converter = MarkdownConverter(
            heading_style="ATX", bullets="-", keep_inline_images_in=[], code_language_callback=_language
        )
        for picture in root.find_all("img"):
            picture.replace_with(str(picture.get("alt") or ""))
        return title, str(converter.convert_soup(root)).strip() + "\n"
    except RecursionError as error:
        raise DocumentError("HTML that is nested too deeply") from error


def _main_part(page: BeautifulSoup) -> Tag:
    main = page.find("main")
    articles = page.find_all("article")
    return main or (articles[0] if len(articles) == 1 else None) or page.find("body") or page


def _language(tag: Tag) -> str:
    """Return the language of a code block, as `class="language-python"` tells it."""
    code = tag.find("code")
    classes = [*tag.get_attribute_list("class"), *(code.get_attribute_list("class") if code else [])]
    named = [str(one).removeprefix("language-") for one in classes if str(one).startswith("language-")]
    return named[0] if named else ""


def _decoded(content: bytes) -> str:
    from bs4.dammit import EncodingDetector  # noqa: PLC0415 - as above

    declared = EncodingDetector.find_declared_encoding(content, is_html=True, search_entire_document=False)
    encoding = "utf-8-sig" if declared in (None, "utf-8", "utf8") else declared
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise DocumentError(
            f"not {declared or 'UTF-8'}, the encoding of the page: {_where(error)}"
        ) from error


def _where(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
    return "Python does not know it"
