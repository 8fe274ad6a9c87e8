"""Language models in practice: what it takes to let others use one."""

__all__ = []
