"""Data in, bytes out: workbook, sheets, GIS files, stand-alone pages."""
