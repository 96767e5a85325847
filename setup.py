"""A wheel carries the workflow inside of the package, as dmf/share, in the layout of a checkout (see dmf.shared).

All else is in pyproject.toml, which cannot say this: data of a package must lie in its folder.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHARED = ("Snakefile", "CITATION.cff", "constraints.txt", "workflow/**/*", "config/**/*", "scripts/*.py")


class BuildWithWorkflow(build_py):
    """Copies modules, and the files of the workflow."""

    def _shared(self) -> list[str]:
        files = (path for pattern in SHARED for path in sorted(Path().glob(pattern)))
        return [path.as_posix() for path in files if path.is_file() and "__pycache__" not in path.parts]

    def _place(self, name: str) -> str:
        return str(Path(self.build_lib, "dmf/share", name))

    def run(self) -> None:
        """Copy all of them; an editable installation finds the files of the workflow in the checkout."""
        super().run()
        if not self.editable_mode:
            for name in self._shared():
                self.mkpath(str(Path(self._place(name)).parent))
                self.copy_file(name, self._place(name))

    def get_source_files(self) -> list[str]:
        """What a source distribution needs."""
        return [*super().get_source_files(), *self._shared()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What was copied."""
        mine = [] if self.editable_mode else [self._place(name) for name in self._shared()]
        return [*super().get_outputs(include_bytecode), *mine]


setup(cmdclass={"build_py": BuildWithWorkflow})
