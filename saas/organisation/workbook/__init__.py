"""The one Excel workbook of an organisation: units, posts, people and appointments, in and out."""
