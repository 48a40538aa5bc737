// BSSTensor
