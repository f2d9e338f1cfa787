"""IPython extension of the sandbox's Python kernel: data of frames and charts beside what Jupyter shows (protocol.md §4.4)."""

import functools
import json
import os
import random
import sys
import warnings
from collections.abc import Callable
from typing import Any

from IPython.core.formatters import BaseFormatter, JSONFormatter
from IPython.display import display
from traitlets import ObjectName, Unicode

_MAX_JSON_CHARACTERS = 16 * 1024 * 1024
"""Larger values are shown as text only."""


class DataFormatter(BaseFormatter):
    """The values of a data frame by column."""

    format_type = Unicode("e2b/data")
    print_method = ObjectName("_repr_e2b_data_")
    _return_type = dict


class ChartFormatter(BaseFormatter):
    """What a figure shows, as numbers."""

    format_type = Unicode("e2b/chart")
    print_method = ObjectName("_repr_e2b_chart_")
    _return_type = dict

    def pop(self, typ: Any, default: Any = None) -> Any:
        """Keeps what it has: matplotlib_inline takes figures out of every formatter when it chooses picture formats."""
        return default


class PlainJsonFormatter(JSONFormatter):
    """Lists and dictionaries too, not only what says that it is JSON."""

    def __call__(self, obj: Any) -> Any:
        if isinstance(obj, list | dict):
            return _plain(obj)
        return super().__call__(obj)


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython. Imports no library of the user's: formatters wait for the types by name."""
    shown = shell.display_formatter
    data, chart = DataFormatter(parent=shown), ChartFormatter(parent=shown)
    data.for_type_by_name("pandas.core.frame", "DataFrame", _data_of)
    data.for_type_by_name("pandas", "DataFrame", _data_of)
    chart.for_type_by_name("matplotlib.figure", "Figure", _chart_of)
    shown.formatters |= {"e2b/data": data, "e2b/chart": chart, "application/json": PlainJsonFormatter(parent=shown)}
    _show_saved_images()


def reseed() -> None:
    """Gives the generators of this process, which other sandboxes were copied from as well, seeds of their own."""
    random.seed()
    if "ssl" in sys.modules:
        sys.modules["ssl"].RAND_add(random.SystemRandom().randbytes(32), 32.0)
    for module, function in (("numpy.random", "seed"), ("torch.random", "seed")):
        if module in sys.modules:
            getattr(sys.modules[module], function)()


def _data_of(frame: Any) -> dict[str, Any] | None:
    columns = {str(name): column for name, column in frame.to_dict(orient="list").items()}
    return _plain(columns, otherwise=str)


def _chart_of(figure: Any) -> dict[str, Any] | None:
    from e2b_charts import chart_figure_to_chart

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chart = chart_figure_to_chart(figure)
        return None if chart is None else _plain(chart.model_dump(), otherwise=str)
    except Exception:  # noqa: BLE001 -- a chart that the library cannot read is still a picture
        return {"type": "unknown", "title": None, "elements": []}


def _plain(value: Any, otherwise: Callable[[Any], Any] | None = None) -> Any:
    """`value` as JSON has it; None when it cannot be said, or would be too long."""

    def described(item: Any) -> Any:
        if hasattr(item, "isoformat"):
            return None if str(item) == "NaT" else item.isoformat()
        if hasattr(item, "tolist"):
            return item.tolist()
        if otherwise is None:
            raise TypeError
        return otherwise(item)

    try:
        text = json.dumps(value, default=described)
        return json.loads(text, parse_constant=lambda _: None) if len(text) <= _MAX_JSON_CHARACTERS else None
    except (TypeError, ValueError, RecursionError):
        return None


def _show_saved_images() -> None:
    """An image that is saved to a file is a result as well."""
    try:
        from PIL.Image import Image
    except ImportError:
        return
    save: Callable[..., None] = Image.save

    @functools.wraps(save)
    def save_and_show(image: Any, fp: Any, *arguments: Any, **options: Any) -> None:
        save(image, fp, *arguments, **options)
        if isinstance(fp, str | os.PathLike):
            display(image)

    Image.save = save_and_show  # type: ignore[method-assign]
