"""What can go wrong, as one tree.

Every message says what came, what was expected and what to do; the command line prints it as one
line.

    MaeumError
    ├── SettingsError     a setting is unknown, out of range, or contradicts another
    ├── EmotionError      an emotion is not in the set in use
    ├── CorpusError       a folder is no corpus, a table or tree cannot be read
    │   ├── SplitError    the corpus cannot be split as asked
    │   └── SamplingError fewer utterances than asked for
    ├── ArchiveError      a zip is broken, or lacks a file
    ├── AudioError        a recording is missing, broken, silent, too short or too long
    ├── TextError         a text is empty or cannot be decoded
    ├── EncoderError      no encoder of that name, or it cannot be loaded
    ├── StoreError        the feature store is broken, or lacks what it had
    ├── StorageError      what lies elsewhere cannot be read or written
    ├── JobError          a process or machine that did part of the work was lost
    └── RunError          a folder is no run, is unfinished, or lacks what is asked of it
"""


class MaeumError(Exception):
    """The root: catch it to catch all that maeum raises on purpose."""


class SettingsError(MaeumError, ValueError):
    """A setting is unknown, out of range, or contradicts another."""


class EmotionError(MaeumError, ValueError):
    """An emotion is not in the set in use."""


class CorpusError(MaeumError, ValueError):
    """A folder is no corpus, or a table or tree cannot be read."""


class SplitError(CorpusError):
    """The corpus cannot be split as asked."""


class SamplingError(CorpusError):
    """Fewer utterances exist than were asked for."""


class ArchiveError(MaeumError, ValueError):
    """A zip is broken, or lacks a file."""


class AudioError(MaeumError, ValueError):
    """A recording is missing, broken, silent, too short or too long."""


class TextError(MaeumError, ValueError):
    """A text is empty or cannot be decoded."""


class EncoderError(MaeumError, ValueError):
    """No encoder goes by that name, or it cannot be loaded."""


class StoreError(MaeumError, ValueError):
    """The feature store is broken, or lacks what it had."""


class RunError(MaeumError, ValueError):
    """A folder is no run, is unfinished, or lacks what is asked of it."""


class StorageError(MaeumError, ValueError):
    """What lies elsewhere cannot be read or written."""


class JobError(MaeumError, ValueError):
    """A process or machine that did part of the work was lost."""
