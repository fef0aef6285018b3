"""Single pictures: decoded, encoded in their own format, and rid of everything that is not the picture, without encoding them again.

A thumbnail is a second picture of a face, and a camera writes down where it was. So each format here has three functions on the bytes of a
file: `header` (size and orientation), `clean` (the same pixels, bit for bit, without the rest) and `carried` (a newly encoded picture with
what the source says about its colours and its orientation). All raise ValueError with the problem in words.
"""
