import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { paused } from './feed.ts'
import { formatCount, formatTime } from './format.ts'
import { HISTORY_MS, history, type Sample } from './history.ts'
import 'uplot/dist/uPlot.min.css'
import './rate-chart.css'

const HEIGHT_PX = 128

/** Events per second over the last minutes. uPlot draws on a canvas, so its colours are read from the page's. */
export function RateChart(): VNode {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const samples = history.value

  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const draw = (): void => {
      chart.current?.destroy()
      chart.current = place.current && newChart(place.current)
      chart.current?.setData(dataOf(history.peek()))
    }
    const resized = new ResizeObserver(() => {
      if (place.current) chart.current?.setSize({ width: place.current.clientWidth, height: HEIGHT_PX })
    })
    draw()
    scheme.addEventListener('change', draw)
    if (place.current) resized.observe(place.current)
    return () => {
      scheme.removeEventListener('change', draw)
      resized.disconnect()
      chart.current?.destroy()
    }
  }, [])

  useEffect(() => {
    if (!paused.peek()) chart.current?.setData(dataOf(samples))
  }, [samples])

  return (
    <figure class="rate-chart">
      <div ref={place} class="rate-canvas" role="img" aria-label={describe(samples)} />
      <figcaption>last {HISTORY_MS / 60_000} minutes</figcaption>
    </figure>
  )
}

function newChart(place: HTMLElement): uPlot {
  const colors = getComputedStyle(place)
  const color = (name: string): string => colors.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--muted'),
    font: `11px ${color('--sans')}`,
    ticks: { show: false },
    grid: { stroke: color('--line'), width: 1 },
  }
  return new uPlot(
    {
      width: Math.max(place.clientWidth, 100),
      height: HEIGHT_PX,
      padding: [14, null, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: (_, __, newest) => [newest - HISTORY_MS / 1000, newest] },
        y: { range: (_, __, highest) => [0, Math.max((highest ?? 0) * 1.15, 10)] },
      },
      axes: [
        {
          ...axis,
          size: 20,
          gap: 4,
          space: 90,
          grid: { show: false },
          values: (_, times) => times.map((time) => formatTime(time * 1000)),
        },
        { ...axis, size: 48, gap: 6, space: 34, values: (_, rates) => rates.map(shortRate) },
      ],
      series: [{}, { stroke: color('--accent'), fill: color('--accent-soft'), width: 1.75, points: { show: false } }],
    },
    [[], []],
    place,
  )
}

function dataOf(samples: readonly Sample[]): uPlot.AlignedData {
  return [samples.map(({ timeMs }) => timeMs / 1000), samples.map(({ rate }) => rate)]
}

/** 0, 500, 1k, 2.5k, 1M: axis labels, not values. */
function shortRate(rate: number): string {
  if (rate >= 1e6) return `${rate / 1e6}M`
  return rate >= 1e3 ? `${rate / 1e3}k` : `${rate}`
}

function describe(samples: readonly Sample[]): string {
  const rates = samples.flatMap(({ rate }) => (rate === null ? [] : [rate]))
  if (rates.length === 0) return 'Events per second: nothing seen yet'
  const [least, most, now] = [Math.min(...rates), Math.max(...rates), rates.at(-1) ?? 0].map(formatCount)
  return `Events per second: now ${now}, between ${least} and ${most} since the page was opened`
}
