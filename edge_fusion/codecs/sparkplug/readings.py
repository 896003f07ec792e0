"""From a metric whose definition is known to a sample."""

from __future__ import annotations

from edge_fusion.codecs.dialect import Sample, SensorKeys
from edge_fusion.codecs.invalid import invalid
from edge_fusion.codecs.numerals import read_number
from edge_fusion.codecs.sparkplug.births import Definition
from edge_fusion.codecs.sparkplug.wire import Metric
from edge_fusion.codecs.units import TemperatureUnit, Unit, canonical, has_known_units, stated_unit
from edge_fusion.events import Invalid, InvalidReason, Message


def read_metric(
    metric: Metric, definition: Definition, device: str, message: Message, keys: SensorKeys
) -> list[Sample | Invalid]:
    """The sample in `metric`; nothing where it is null or its own quality says not to use it."""
    quantity = definition.quantity
    number = read_number(metric.read(definition.datatype))
    if number is None or not metric.good:
        return []
    stated = metric.unit or definition.unit
    unit = _unit(quantity, stated, keys.units.get(quantity))
    if isinstance(unit, InvalidReason):
        return [invalid(message, unit, f'"{stated}" is no unit of {quantity} of {device}')]
    if isinstance(metric.time, InvalidReason):
        return [invalid(message, metric.time, f"{quantity} of {device} is of no time")]
    if not isinstance(number, InvalidReason):
        number = canonical(quantity, number, unit)
    if isinstance(number, InvalidReason):
        detail = f"{quantity} of {device} is {str(metric.value)[:80]!r}"
        return [invalid(message, number, detail)]
    return [Sample(quantity, number, metric.time, device, definition.part)]


def _unit(quantity: str, stated: str, configured: Unit | None) -> Unit | InvalidReason | None:
    """A stated unit wins; one that is none of the quantity's shows that it is another quantity."""
    if not stated or not has_known_units(quantity):
        return configured
    unit = stated_unit(quantity, stated)
    if unit is not None:
        return unit
    is_chosen = isinstance(configured, TemperatureUnit) and configured is not TemperatureUnit.AUTO
    return configured if is_chosen else InvalidReason.UNIT
