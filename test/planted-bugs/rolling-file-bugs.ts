import { edit, type PlantedBug } from './planted-bug.ts'

/** Bugs in files that roll, and in what waits for files. */
export const ROLLING_FILE_BUGS: readonly PlantedBug[] = [
  {
    name: 'waiting rows of an epoch that never became certain are published',
    file: 'src/sinks/rolling-file-sink.ts',
    edits: [edit('epoch <= certain && epoch > published', 'epoch > published')],
    caughtBy: 'src/sinks/rolling-file-sink.test.ts',
  },
  {
    name: 'waiting rows that are published already are published again',
    file: 'src/sinks/rolling-file-sink.ts',
    edits: [
      edit('epoch <= certain && epoch > published', 'epoch <= certain'),
      edit(
        '      await removeFile(path, this.#fileSystem)\n      this.#segments.delete(epoch)\n',
        '      await removeFile(path, this.#fileSystem)\n',
      ),
    ],
    caughtBy: 'src/sinks/rolling-file-sink.test.ts',
  },
  {
    name: 'the folders of waiting rows are not moved aside',
    file: 'src/sinks/rolling-file-sink.ts',
    edits: [
      edit('      await this.#fenceOlder()\n', ''),
      edit('if (folder !== this.#own && !name', 'if (name === "" && !name'),
    ],
    caughtBy: 'src/sinks/stale-process.test.ts',
  },
  {
    name: 'rows begin to wait anew with each restart',
    file: 'src/sinks/rolling-file-sink.ts',
    edits: [edit('sinceMs: sinceMs <= nowMs ? sinceMs : nowMs', 'sinceMs: nowMs')],
    caughtBy: 'src/sinks/rolling-file-sink.test.ts',
  },
  {
    name: 'what is staged is called as readers expect',
    file: 'src/sinks/file-sink.ts',
    edits: [edit('.staged`', '`')],
    caughtBy: 'src/sinks/file-sink.test.ts',
  },
  {
    name: 'waiting rows are moved from folder to folder',
    file: 'src/sinks/rolling-file-sink.ts',
    edits: [edit('await publishFile(from, to, this.#fileSystem)', 'await this.#fileSystem.rename(from, to)')],
    caughtBy: 'src/sinks/rolling-file-sink.test.ts',
  },
]
