"""A simulated field with a truth table: the quick start, the tests' sky, and the measuring rod."""

from racs_transients.simulate.completeness import Completeness, compare_with_truth
from racs_transients.simulate.field import SimulatedField, observe_with, simulate_field
from racs_transients.simulate.settings import FieldSettings

__all__ = ["Completeness", "FieldSettings", "SimulatedField", "compare_with_truth", "observe_with", "simulate_field"]
