"""What is measured of a cell as a whole, its alert rules, dashboards and service levels."""
