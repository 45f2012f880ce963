"""The chain rule: the document's last equation as matrices that fit."""
