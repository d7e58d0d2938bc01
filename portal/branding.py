"""An organization's accent colour, made readable: contrast is computed, never hoped for (WCAG 2.2, 1.4.3 and 1.4.11)."""

WHITE = "#ffffff"
BLACK = "#000000"
# The background on which text reads worst in each scheme: that of a tinted notice.
LIGHT_GROUND = "#ece6dc"
DARK_GROUND = "#352f2b"
TEXT_CONTRAST = 4.5


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb, 0 (black) to 1 (white); WCAG's definition."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(color: str, background: str) -> str:
    """The colour, moved towards the far end of the scale until it can be read as text on the background."""
    toward = 0 if luminance(background) > 0.5 else 255
    for step in range(0, 101, 4):
        candidate = _mixed(color, toward, step / 100)
        if contrast(candidate, background) >= TEXT_CONTRAST:
            return candidate
    return BLACK if toward == 0 else WHITE


def text_on(color: str) -> str:
    """White or black, whichever reads better on the colour."""
    return max((WHITE, BLACK), key=lambda candidate: contrast(candidate, color))


def _mixed(color: str, toward: int, share: float) -> str:
    channels = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(c + (toward - c) * share):02x}" for c in channels)


def stylesheet(accent: str) -> str:
    """The few custom properties that differ between organizations."""
    light, dark = readable(accent, LIGHT_GROUND), readable(accent, DARK_GROUND)
    return (
        f":root{{--accent:light-dark({light},{dark});--on-accent:light-dark({text_on(light)},{text_on(dark)});"
        f"--brand:{accent};--on-brand:{text_on(accent)}}}"
    )
