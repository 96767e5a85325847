"""What numbers, sizes and texts of a target may be, free of the configuration: `dmf.predict` needs no more."""

import re

SMALLEST, LARGEST = 1e-50, 1e50  # between them every product that training and theory form stays in range
LARGEST_DIMENSION = 4096  # rows or columns of a matrix
# Control characters break XML. Characters without width and those that turn the direction of writing make a page say
# what it does not. Of Unicode's categories these are Cc, Cf, Cs, Zl and Zp, less signs of Arabic and Indic numbers.
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
