"""What the Script menu offers: ways to make pictures that are more than one pass of one request.

A workflow is one file: a title, the tabs that show it, its arguments (`Arguments`: a field each, in the order
of the field's `script_args`, from which the API's description, the page's controls and the check are made),
and what it does. A row in `menu.py` puts it on the menu. There are two kinds of doing:

- **Redrawing** (`workflow.py`): it draws each group of a run's pictures itself, in passes of image to image.
  `plan` answers at the door which fields of the request it sets (how many pictures there will be among them),
  the size of each pass that a group takes, and what it adds to the generation text; that goes into the order.
  `draw` is handed a `ScriptGroup` by whoever draws the group, wherever that is, and answers with the
  pictures.
  The outpaintings are of this kind, SD upscale and loopback can be.
- **Expanding** (to come: X/Y/Z plot, prompt matrix, prompts from file): it makes many runs of one request.
  Its place is a list of parts beside `passes` in `ScriptPlan`, each part the fields of the request and the
  settings that it changes, again written at the door, so that the order still decides every bit; `plan_run`
  then makes its groups of the parts, and the pictures that it puts in front (its grids) are made where the
  grid is made, in `Assembly`. Nothing of it has to be asked for while a part is drawn.

`MENU` is handed to the `Engine`, which knows it as a `ScriptMenu`.
"""

from modules.workflows.arguments import Argument, Control
from modules.workflows.menu import MENU, Menu
from modules.workflows.workflow import Redrawing, Tab

__all__ = ["MENU", "Argument", "Control", "Menu", "Redrawing", "Tab"]
