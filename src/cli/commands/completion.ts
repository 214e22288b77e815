import type { Command } from 'commander'
import { Argument } from 'commander'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { printJson } from '../output.ts'

/** Words that can follow a path of commands: `''` is `millrace` itself, `topics peek` a command of a command. */
type Words = ReadonlyMap<string, readonly string[]>

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** `millrace completion`: a script that lets a shell complete commands and options. */
export const defineCompletion: DefineCommand = (program) => {
  const command = program
    .command('completion')
    .description('a script that lets your shell complete commands and options')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .option('--json', 'the words as JSON')
    .action((shell: (typeof SHELLS)[number], options: { json?: boolean }) => {
      const words = wordsOf(program)
      if (options.json) printJson(Object.fromEntries(words))
      else process.stdout.write(shell === 'fish' ? fishScript(words) : bashScript(words, shell === 'zsh'))
    })
  showExamples(command, [
    ['source <(millrace completion bash)', 'in ~/.bashrc; zsh likewise in ~/.zshrc'],
    ['millrace completion fish > ~/.config/fish/completions/millrace.fish', ''],
  ])
}

function wordsOf(command: Command, path: readonly string[] = []): Words {
  const options = command.options.flatMap(({ long }) => (long ? [long] : []))
  const names = command.commands.map((child) => child.name())
  const below = command.commands.flatMap((child) => [...wordsOf(child, [...path, child.name()])])
  return new Map([[path.join(' '), [...names, ...options, '--help']], ...below])
}

/** Files are completed where no word fits. */
function bashScript(words: Words, zsh: boolean): string {
  const cases = [...words].map(([path, all]) => `    '${path}') words='${all.join(' ')}' ;;`)
  return `${zsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_millrace() {
  local word words='' path='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$path $word" in
${[...words.keys()]
  .filter((path) => path !== '')
  .map((path) => `      '${parentOf(path)} ${lastOf(path)}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _millrace millrace
`
}

function fishScript(words: Words): string {
  const lines = [...words].flatMap(([path, all]) => {
    const condition = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${lastOf(path)}`
    return all.map((word) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
      return `complete -c millrace -n '${condition}' ${what}`
    })
  })
  return `${lines.join('\n')}\n`
}

function parentOf(path: string): string {
  return path.split(' ').slice(0, -1).join(' ')
}

function lastOf(path: string): string {
  return path.split(' ').at(-1) ?? ''
}
