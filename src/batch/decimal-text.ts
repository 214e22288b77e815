/** A whole number of units of 10^-scale as text with exactly `scale` digits behind the point: `(-5, 2)` is `-0.05`. */
export function formatDecimal(units: number, scale: number): string {
  if (scale === 0) return String(units === 0 ? 0 : units)
  const divisor = 10 ** scale
  const magnitude = Math.abs(units)
  const fraction = magnitude % divisor
  const whole = (magnitude - fraction) / divisor
  return `${units < 0 ? '-' : ''}${whole}.${String(fraction).padStart(scale, '0')}`
}
