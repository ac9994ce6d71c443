"""Help in groups: --help shows the options that people need first, --help-all every one."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar, get_args

import click

from matte.configs.fields import Group
from matte.interrupts import ending_interrupts

GROUPS: tuple[Group, ...] = get_args(Group)
MAX_OPTIONS_IN_HELP = 16  # of a command that needs no --help-all
# What other tools call an option.
OTHER_NAMES = {"--background": "--bg", "--out": "--output", "--model": "--segmenter"}
SHOW_ALL = "matte.cli.grouped.show_all"  # in a context's meta: help is to show every option
F = TypeVar("F", bound=Callable[..., Any])


class GroupedOption(click.Option):
    """An option that knows its group, and whether people need it first."""

    def __init__(self, *words: Any, group: Group = "Help", common: bool = False, **rest: Any):
        self.group, self.common = group, common
        super().__init__(*words, **rest)


class GroupedCommand(click.Command):
    """A command whose --help is short, if it has options that few people need."""

    def __init__(self, *words: Any, ends_at_once: bool = False, **rest: Any) -> None:
        """`ends_at_once`: it leaves nothing that must be tidied up when Ctrl-C ends it."""
        super().__init__(*words, **rest)
        self._ends_at_once = ends_at_once
        if not self._is_short():
            self.params.append(
                GroupedOption(
                    ["--help-all"],
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=_show_all,
                    help="Show all options, in groups, and exit.",
                )
            )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of the command line; name the option that another tool's word means."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            named = OTHER_NAMES.get(error.option_name, "")
            if not any(named in each.opts for each in self._options()):
                raise
            cause = f"No such option '{error.option_name}'. Did you mean '{named}'?"
            raise click.UsageError(cause, ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C ends it at once where nothing needs tidying up."""
        with ending_interrupts() if self._ends_at_once else nullcontext():
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the common options in one list, or all of them in their groups."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        if ctx.meta.get(SHOW_ALL) or self._is_short():
            for group in GROUPS:
                _write_list(group, [o for o in options if _group(o) == group], ctx, formatter)
            return
        _write_list("Options", [o for o in options if _is_common(o)], ctx, formatter)
        count = sum(not option.hidden for option in options)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"All {count} options, in groups: {ctx.command_path} --help-all")

    def _is_short(self) -> bool:
        """Return whether one help can show everything."""
        options = self._options()
        return len(options) <= MAX_OPTIONS_IN_HELP or all(map(_is_common, options))

    def _options(self) -> list[click.Option]:
        """Return the options that are not hidden."""
        return [p for p in self.params if isinstance(p, click.Option) and not p.hidden]


def option(*words: str, group: Group, common: bool = False, **rest: Any) -> Callable[[F], F]:
    """Return click's decorator for an option of that group."""
    return click.option(*words, cls=GroupedOption, group=group, common=common, **rest)


def _group(each: click.Option) -> Group:
    """Return the group of an option; options of click itself belong to Help."""
    return each.group if isinstance(each, GroupedOption) else "Help"


def _is_common(each: click.Option) -> bool:
    """Return whether --help shows an option."""
    return _group(each) == "Help" or (isinstance(each, GroupedOption) and each.common)


def _write_list(
    title: str, options: list[click.Option], ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    """Write the help of some options under a title; nothing if there are none."""
    records = [record for each in options if (record := each.get_help_record(ctx)) is not None]
    if records:
        with formatter.section(title):
            formatter.write_dl(records)


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the whole help and end the program, where --help-all is given."""
    if value and not ctx.resilient_parsing:
        ctx.meta[SHOW_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
