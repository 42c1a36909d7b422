"""The demonstration: three bureaus of an invented city, their people and work in progress."""
