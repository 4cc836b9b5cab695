"""The web face: the view over the box, its feed, its servers, and the pages that every box has."""
