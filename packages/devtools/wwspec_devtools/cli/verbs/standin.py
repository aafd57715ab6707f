"""`wwspec standin`: the stand-in for WeCom's SDK that a program in another language than Python compiles against."""

import click

from wwspec_devtools.emulator.settings import JAVA_STANDIN_DIRECTORY

FOLDERS = {"java": JAVA_STANDIN_DIRECTORY}


@click.command()
@click.argument("language", type=click.Choice([*FOLDERS]))
def command(language: str) -> None:
    """Print the folder with the Java source of the emulator's stand-in for WeCom's SDK.

    \b
    javac -d build "$(wwspec standin java)"/com/tencent/wework/*.java src/*.java
    wwspec emulate --program 'java -cp build Program'

    It works with the emulator on this machine only: an image needs WeCom's own SDK. A program in Python needs no path,
    since --program puts the stand-in on its PYTHONPATH.
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    click.echo(FOLDERS[language])
