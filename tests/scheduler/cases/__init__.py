"""Random clusters and pods to place in them, as plain JSON objects that the API would take, from a seed.

Few nodes, few labels and few values, so that things meet; each case has some themes (a plugin's matter each), so that
no plugin hides the others.
"""

from .case import THEMES, Case, make_case

__all__ = ["THEMES", "Case", "make_case"]
