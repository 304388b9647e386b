"""Engines that can be hurt, a wire that can be cut, services in processes, and callers who do not let go."""
