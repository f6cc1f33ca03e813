"""What every module here wants of lxml."""

from lxml import etree

Element = etree._Element  # noqa: SLF001  (lxml has no public name for it)


def find_all(root: Element, xpath: str, **variables: str) -> list[Element]:
    """Return the elements that an XPath matches; variables are safe in it as $name."""
    found = etree.XPath(xpath)(root, **variables)
    return [each for each in found if isinstance(each, Element)] if isinstance(found, list) else []
