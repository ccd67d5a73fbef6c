from support.stand_in import archive, ended

__all__ = ["archive", "ended"]
