// SPDX-License-Identifier: MIT
/** Weights in cells: in the state's unit, with percent, a bar, and how sure they are. */
import type { State } from '../app/state.js';
import { interval } from '../model/certainty.js';
import type { Shown, Side } from '../model/shown.js';
import { currentTheme, differenceColour } from '../ui/colours.js';
import { make } from '../ui/dom.js';
import { formatPercent, formatPoints, formatWeight } from '../ui/format.js';

/** From here on half of the 95 % interval is so large a part of the number that it looks unsure. */
const UNSURE = 0.3;

export interface Sure {
	readonly share: number; // 0 .. 1
	readonly low: number; // 95 % interval
	readonly high: number;
	readonly unsure: boolean;
}

/** How sure a weight is as a share of a side. */
export function sureness(weight: number, side: Side): Sure {
	const share = side.sum > 0 ? weight / side.sum : 0;
	const { low, high } = interval(share * side.samples, side.samples);
	return { share, low, high, unsure: (high - low) / 2 > UNSURE * share };
}

/** "0.4±0.2 %" if it is unsure, else "12.3 %". */
export function sureText(sure: Sure): string {
	const half = (sure.high - sure.low) / 2;
	const digits = half < 0.0995 ? (half < 0.00095 ? 2 : 1) : 0;
	const number = (share: number): string => (share * 100).toFixed(digits);
	const plain = !sure.unsure || Number(number(sure.share)) === 0;
	return plain ? formatPercent(sure.share) : `${number(sure.share)}\u00b1${number(half)} %`;
}

/** "+1.2 s", "−3.4 pp": a difference in the unit of the state. */
export function differenceText(
	now: number,
	before: number,
	shown: Shown,
	unit: State['unit'],
): string {
	const { now: side, before: other, periodNs } = shown;
	if (unit === 'percent') return formatPoints(shareDifference(now, before, side, other));
	const value = now - before;
	const sign = value > 0 ? '+' : value < 0 ? '\u2212' : '';
	return value === 0 ? '0' : sign + formatWeight(Math.abs(value), side.sum, periodNs, unit);
}

/** Share of all now less share of all before. */
export function shareDifference(
	now: number,
	before: number,
	side: Side,
	other: Side | null,
): number {
	const share = side.sum > 0 ? now / side.sum : 0;
	return share - (other && other.sum > 0 ? before / other.sum : 0);
}

/** What is sorted by, and shown: a difference in the unit of the state, as a number. */
export function differenceValue(
	now: number,
	before: number,
	shown: Shown,
	unit: State['unit'],
): number {
	return unit === 'percent' ? shareDifference(now, before, shown.now, shown.before) : now - before;
}

/** Whether two shares may well be the same: their intervals have a part in common. */
export function mayBeChance(now: number, before: number, shown: Shown): boolean {
	if (!shown.before) return false;
	const [a, b] = [sureness(now, shown.now), sureness(before, shown.before)];
	return a.low <= b.high && b.low <= a.high;
}

/** A cell with a weight of a side: amount, percent, and a bar behind them. Nothing for no weight. */
export function amountCell(
	className: string,
	weight: number,
	side: Side,
	periodNs: number,
	unit: State['unit'],
): HTMLTableCellElement {
	const cell = make('td', `amount ${className}`);
	if (!(weight > 0)) return cell;
	const sure = sureness(weight, side);
	if (sure.unsure) cell.classList.add('unsure');
	cell.style.setProperty('--low', String(sure.unsure ? sure.low : sure.share));
	cell.style.setProperty('--high', String(sure.unsure ? sure.high : sure.share));
	if (unit !== 'percent') {
		cell.append(make('span', 'amount-value', formatWeight(weight, side.sum, periodNs, unit)));
	}
	cell.append(make('span', 'amount-share', sureText(sure)));
	return cell;
}

/** A cell with a difference; its colour is that of the share, as in the flame graph. */
export function differenceCell(
	className: string,
	now: number,
	before: number,
	shown: Shown,
	unit: State['unit'],
): HTMLTableCellElement {
	const cell = make('td', `amount difference ${className}`);
	if (now === 0 && before === 0) return cell;
	if (mayBeChance(now, before, shown)) cell.classList.add('unsure');
	const points = shareDifference(now, before, shown.now, shown.before);
	cell.style.setProperty('--tone', differenceColour(currentTheme(), points));
	cell.append(differenceText(now, before, shown, unit));
	return cell;
}
