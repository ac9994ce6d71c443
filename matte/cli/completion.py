"""`matte completion`: the script by which a shell completes matte's commands."""

import click

VARIABLE = "_MATTE_COMPLETE"  # what the scripts set, and click looks for
SHELLS = ("bash", "zsh", "fish")


@click.command(no_args_is_help=True)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands and options.

    Names of networks and presets are completed, too.

    \b
    Example: matte completion bash >> ~/.bashrc
             matte completion zsh >> ~/.zshrc
             matte completion fish > ~/.config/fish/completions/matte.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, "matte", VARIABLE).source())
