"""The containers of pictures, read and rewritten without decoding a pixel.

Each format has a ``strip``: it returns a :class:`Picture` whose content shows the same pixels in
the same colours the same way up, and says nothing else: no place, camera, name, comment,
thumbnail or hidden second picture. What to keep is listed; everything else goes. A file that
cannot be walked through is a :class:`BrokenImageError`.
"""

from vek1_api.files.image_formats.picture import BrokenImageError, Picture

__all__ = ["BrokenImageError", "Picture"]
