import { timeline } from '../support/timeline/timeline.ts'
import { perMinute } from '../support/timeline/visits.ts'

timeline(
  'the slowest partition decides',
  perMinute('10s'),
  `
  00:00:05  /a
  00:05:00  /a   -> watermark -infinity
  partition 1
  00:00:20  /b   -> watermark 00:00:10
  00:01:10  /b   -> watermark 00:01
                 -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
  partition 0
  00:09:00  /a   -> watermark 00:01
  end            -> [00:01, 00:02) /b 1
                 -> [00:05, 00:06) /a 1
                 -> [00:09, 00:10) /a 1
`,
)

timeline(
  'a partition that has never spoken holds time back',
  perMinute('0s'),
  `
  00:00:05  /a   -> watermark -infinity
  00:09:00  /a   -> watermark -infinity
  partition 1
  00:00:10  /b   -> watermark 00:00:10
  end            -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
                 -> [00:09, 00:10) /a 1
`,
)

timeline(
  'an idle partition holds nothing back; when it speaks again, the watermark waits for it but never goes back',
  perMinute('0s'),
  `
  partition 1
  00:00:10  /b
  partition 0
  00:00:20  /a   -> watermark 00:00:10
  00:02:00  /a   -> watermark 00:00:10
  idle 1         -> watermark 00:02
                 -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
  partition 1
  00:00:30  /b   -> late
                 -> watermark 00:02
  00:02:10  /b   -> watermark 00:02
  partition 0
  00:09:00  /a   -> watermark 00:02:10
  end            -> [00:02, 00:03) /a 1
                 -> [00:02, 00:03) /b 1
                 -> [00:09, 00:10) /a 1
`,
)

timeline(
  'a partition that is idle before its first row holds nothing back',
  perMinute('0s'),
  `
  idle 1         -> watermark -infinity
  00:00:05  /a   -> watermark 00:00:05
  00:01:00  /a   -> [00:00, 00:01) /a 1
  partition 1
  00:01:30  /b   -> watermark 00:01
  end            -> [00:01, 00:02) /a 1
                 -> [00:01, 00:02) /b 1
`,
)

timeline(
  'a partition that has ended is left out; when all have, time stands at the newest row',
  perMinute('0s'),
  `
  00:00:05  /a
  partition 1
  00:02:00  /b   -> watermark 00:00:05
  ended 0        -> watermark 00:02
                 -> [00:00, 00:01) /a 1
  clock 24:00    -> watermark 00:02
  ended 1        -> watermark 00:02
  clock 25:00    -> watermark 00:02
  end            -> [00:02, 00:03) /b 1
`,
)

timeline(
  'with every partition idle, time goes on with the clock from where event time stood',
  perMinute('10s', { advanceWhenIdle: true }),
  `
  clock 00:00:30
  00:00:15  /a   -> watermark -infinity
  partition 1
  00:00:25  /b   -> watermark 00:00:05
  clock 00:01
  idle 0         -> watermark 00:00:15
  clock 00:01:10 -> watermark 00:00:15
  idle 1         -> watermark 00:00:15
  clock 00:01:30 -> watermark 00:00:35
  clock 00:01:55 -> watermark 00:01
                 -> [00:00, 00:01) /a 1
                 -> [00:00, 00:01) /b 1
  00:00:50  /b   -> late
  end
`,
)

timeline(
  'time that goes on with the clock never overtakes the clock',
  perMinute('0s', { advanceWhenIdle: true, maxClockSkew: '1 hour' }),
  `
  clock 00:00:10
  00:01:30  /a   -> watermark 00:01:30
  idle 0         -> watermark 00:01:30
  clock 00:01:40 -> watermark 00:01:40
  clock 00:02    -> watermark 00:02
                 -> [00:01, 00:02) /a 1
  end
`,
)

timeline(
  'without advanceWhenIdle an idle log stands still, whatever the clock says',
  perMinute('0s', { advanceWhenIdle: false }),
  `
  00:00:05  /a
  idle 0         -> watermark 00:00:05
  clock 99:00    -> watermark 00:00:05
  end            -> [00:00, 00:01) /a 1
`,
)

timeline(
  'a row that is stamped too far ahead of its arrival does not move time',
  perMinute('0s', { maxClockSkew: '5 minutes' }),
  `
  clock 00:10
  00:10:05  /a
  00:15:00.001  /a  -> future
                    -> watermark 00:10:05
  00:15:00      /a  -> watermark 00:15
                    -> [00:10, 00:11) /a 1
  end               -> [00:15, 00:16) /a 1
`,
)

timeline(
  'a row that is older than the age allowed is expired, and does not move time',
  perMinute('2 days', { maxAge: '1 hour' }),
  `
  clock 10:00
  08:59:59.999  /a  -> expired
                    -> watermark -infinity
  09:00         /a
  clock 10:00:01
  09:00         /a  -> expired
  end               -> [09:00, 09:01) /a 1
`,
)

timeline(
  'global-max: the newest row of all decides, one epoch later, and silent partitions do not matter',
  perMinute('0s', { policy: 'global-max' }),
  `
  partition 1
  00:00:10  /b
  partition 2
  00:05:00  /a
  epoch
  partition 1
  00:00:20  /b
  epoch          -> watermark 00:05
                 -> [00:00, 00:01) /b 2
  00:00:30  /b   -> late
  00:05:30  /b
  epoch          -> watermark 00:05
  epoch          -> watermark 00:05:30
  end            -> [00:05, 00:06) /a 1
                 -> [00:05, 00:06) /b 1
`,
)
