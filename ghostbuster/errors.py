"""Exceptions by what a user can do about them; the command line prints one line and exits with 2."""


class GhostbusterError(Exception):
    """Root of every error raised on purpose; its message names culprit, expectation and remedy."""


class InputError(GhostbusterError, ValueError):
    """A text, table or label that cannot be used as given."""


class SettingError(GhostbusterError, ValueError):
    """A parameter outside its range, or a name that no table knows."""


class FeatureError(SettingError):
    """An expression that does not parse or names a vector that is not there."""


class ModelError(GhostbusterError):
    """A weak model that cannot be opened, is damaged, or is not the one expected."""


class ArtifactError(GhostbusterError):
    """A detector file that cannot be read, trusted, or used with the models at hand."""


class ClusterError(GhostbusterError):
    """A cluster that does not answer, or whose workers end again and again."""
