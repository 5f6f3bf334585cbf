// SPDX-License-Identifier: MIT
/** Rows of table and call tree in words: tips, and as text to paste into a spreadsheet. */
import type { App } from '../app/app.js';
import { visible } from '../draw/text.js';
import type { Shown } from '../model/shown.js';
import { make } from '../ui/dom.js';
import { formatPercent, formatWeight } from '../ui/format.js';
import { sharePhrase } from './flame_look.js';
import type { TableRows } from './table_model.js';
import { placeText } from './table_model.js';
import { differenceText, mayBeChance } from './table_numbers.js';

/** Instead of rows, if nothing is selected. */
export const NOTHING = 'No sample is shown: range, mode, threads or steps leave none.';
const LONGEST = 500; // of names in rows; a name may have megabytes

export const shortened = (text: string): string => visible(text.slice(0, LONGEST));

/** A cell with a path: where there is no room, its beginning is left out. */
export function pathCell(className: string, path: string): HTMLTableCellElement {
	return make('td', `path ${className}`, make('bdi', '', shortened(path)));
}

/** "total 1.24 s, 12.3 % (95 %: 11.8 % to 12.9 %)", and what it was before. */
export function weightLines(
	app: App,
	shown: Shown,
	what: string,
	weight: number,
	before: number | null,
): string[] {
	const { now, before: side, periodNs } = shown;
	const unit = app.state.unit === 'percent' ? 'time' : app.state.unit;
	const amount = formatWeight(weight, now.sum, periodNs, unit);
	const lines = [`${what} ${amount}, ${sharePhrase(weight, now)}`];
	if (side && before !== null) {
		const old = formatWeight(before, side.sum, periodNs, unit);
		const chance = mayBeChance(weight, before, shown) ? ', may be chance' : '';
		lines.push(
			`${what} before ${old}, ${sharePhrase(before, side)}`,
			`difference ${differenceText(weight, before, shown, app.state.unit)}${chance}`,
		);
	}
	return lines;
}

/** Lines of a row's tip. */
export function rowLines(app: App, shown: Shown, rows: TableRows, row: number): string[] {
	const func = rows.func[row];
	const { funcName, funcModule } = shown.tables;
	const about = [placeText(shown, rows, row), funcModule[func]].filter((text) => text !== '');
	return [
		shortened(funcName[func] || '?'),
		...(about.length ? [shortened(about.join(' \u00b7 '))] : []),
		...weightLines(app, shown, 'self', rows.self[row], rows.beforeSelf?.[row] ?? null),
		...weightLines(app, shown, 'total', rows.total[row], rows.beforeTotal?.[row] ?? null),
	];
}

/** A cell that no spreadsheet takes for a formula, whatever the program calls its functions. */
function textCell(text: string): string {
	const plain = visible(text);
	return /^[=+\-@]/.test(plain) ? `'${plain}` : plain;
}

/** A line for the head and one for each of the rows, tabs between the cells; weights in samples. */
export function tsvOf(shown: Shown, rows: TableRows, order: ArrayLike<number>): string {
	const { tables, now, before, periodNs } = shown;
	const share = (weight: number, sum: number): string =>
		sum > 0 ? ((weight / sum) * 100).toFixed(3) : '';
	const side = (self: number, total: number, sum: number): string[] => {
		const seconds = (weight: number): string[] =>
			periodNs > 0 ? [String(Number(((weight * periodNs) / 1e9).toFixed(9)))] : [];
		return [self, total].flatMap((w) => [String(w), ...seconds(w), share(w, sum)]);
	};
	const heads = (suffix: string): string[] =>
		['self', 'total'].flatMap((what) => [
			`${what}${suffix} samples`,
			...(periodNs > 0 ? [`${what}${suffix} s`] : []),
			`${what}${suffix} %`,
		]);
	const lines = [
		[...heads(''), ...(before ? heads(' before') : []), 'name', 'file', 'module'].join('\t'),
	];
	for (let i = 0; i < order.length; i++) {
		const row = order[i];
		const func = rows.func[row];
		const old = before
			? side(rows.beforeSelf?.[row] ?? 0, rows.beforeTotal?.[row] ?? 0, before.sum)
			: [];
		const texts = [tables.funcName[func], placeText(shown, rows, row), tables.funcModule[func]];
		const numbers = [...side(rows.self[row], rows.total[row], now.sum), ...old];
		lines.push([...numbers, ...texts.map(textCell)].join('\t'));
	}
	return `${lines.join('\n')}\n`;
}

/** "1 234 functions, 812 of them pass the filter; self: 98.2 % of all": what a list adds up to. */
export function sumPhrase(
	shown: Shown,
	rows: TableRows,
	order: ArrayLike<number>,
	words: readonly [string, string],
	count: (n: number) => string,
): string {
	const all = `${count(rows.count)} ${rows.count === 1 ? words[0] : words[1]}`;
	if (order.length === rows.count) return all;
	let self = 0;
	for (let i = 0; i < order.length; i++) self += rows.self[order[i]];
	const share = formatPercent(shown.now.sum > 0 ? self / shown.now.sum : 0);
	return `${count(order.length)} of ${all}, together self ${share}`;
}
