// SPDX-License-Identifier: MIT
/** The lines of a file with their heat. */
import type { App } from '../app/app.js';
import { NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import type { Shown } from '../model/shown.js';
import { attributes, make } from '../ui/dom.js';
import type { Outlined, SourceFile } from './source_model.js';
import { funcAtLine, heatOfLine, lineOfRow, rowOfLine } from './source_model.js';
import { Token, tokenizeLine } from './source_tokens.js';
import { amountCell, differenceCell } from './table_numbers.js';
import type { Rows } from './table_rows.js';
import { makeRows } from './table_rows.js';
import { shortened, weightLines } from './table_text.js';

const LONGEST = 2000; // characters of a line that are shown

const CLASSES: readonly string[] = [
	'',
	'comment',
	'text',
	'keyword',
	'number',
	'defined',
	'decorator',
];

/** Tabs stay, other characters that cannot be seen come as \xHH. */
const seenText = (text: string): string => text.split('\t').map(visible).join('\t');

/** A line as spans. */
export function codeSpans(source: SourceFile, row: number): (Node | string)[] {
	const text = source.lines?.[row] ?? '';
	const spans: (Node | string)[] = [];
	const { spans: ends } = tokenizeLine(text.slice(0, LONGEST), source.states[row]);
	let start = 0;
	for (let i = 0; i < ends.length; i += 2) {
		const part = seenText(text.slice(start, ends[i]));
		spans.push(ends[i + 1] === Token.Plain ? part : make('span', CLASSES[ends[i + 1]], part));
		start = ends[i];
	}
	if (text.length > LONGEST) spans.push(make('span', 'dim', `\u2026 (${text.length} characters)`));
	return spans;
}

export interface Code {
	readonly rows: Rows;
	set(source: SourceFile | null, shown: Shown, outline: readonly Outlined[]): void;
	light(): void;
}

/** What a press on a line does, and its menu. */
export interface CodeActions {
	choose(line: number): void;
	menu(line: number, x: number, y: number): void;
}

type Column = 'self' | 'selfbefore' | 'selfdiff' | 'total' | 'totaldiff' | 'number' | 'code';

const HEADS: Readonly<Record<Column, readonly [string, string]>> = {
	self: ['Self', 'Samples that were at this line itself'],
	selfbefore: ['Before', 'Self of what it is compared with'],
	selfdiff: ['Difference', 'Self now less self before; of shares in percentage points (pp)'],
	total: ['Total', 'Samples at this line or in what it calls'],
	totaldiff: ['Difference', 'Total now less total before; of shares in percentage points (pp)'],
	number: ['', 'Line'],
	code: ['Source', ''],
};

export function makeCode(app: App, actions: CodeActions): Code {
	let source: SourceFile | null = null;
	let shown: Shown = app.shown();
	let outline: readonly Outlined[] = [];
	let columns: readonly Column[] = [];

	const bareText = (line: number): string => {
		if (!source) return '';
		const func = funcAtLine(app.capture, outline, source.file, line);
		const { functions, strings } = app.capture;
		const name = func === NONE ? '' : `in ${shortened(strings[functions.name[func]])}`;
		return source.lines ? `(the file has no such line any more) ${name}` : name;
	};
	const cellOf = (column: Column, row: number, line: number): HTMLTableCellElement => {
		const { now, before, periodNs } = shown;
		const { unit } = app.state;
		const of = (heat: ReadonlyMap<number, number> | null | undefined): number =>
			heat?.get(line) ?? 0;
		const heat = source?.heat;
		switch (column) {
			case 'self':
			case 'total':
				return amountCell(column, of(heat?.[column]), now, periodNs, unit);
			case 'selfbefore':
				return amountCell(column, of(heat?.beforeSelf), before ?? now, periodNs, unit);
			case 'selfdiff':
				return differenceCell(column, of(heat?.self), of(heat?.beforeSelf), shown, unit);
			case 'totaldiff':
				return differenceCell(column, of(heat?.total), of(heat?.beforeTotal), shown, unit);
			case 'number':
				return make('td', 'number', String(line));
			case 'code': {
				const spans = source?.lines && row < source.lines.length ? codeSpans(source, row) : null;
				return make('td', 'code', ...(spans ?? [make('span', 'dim', bareText(line))]));
			}
		}
	};
	const light = (row: HTMLTableRowElement, index: number): void => {
		if (!source) return;
		const { sample } = app.hover;
		const { samples, stacks, frames, functions } = app.capture;
		const frame = sample === NONE ? NONE : stacks.frame[samples.stack[sample]];
		const line = lineOfRow(source, index);
		const hit =
			frame !== NONE &&
			functions.file[frames.func[frame]] === source.file &&
			frames.line[frame] === line;
		row.classList.toggle('lit', hit);
	};
	const rows = makeRows({
		role: 'grid',
		label: 'Source',
		id: 'source-line',
		fill(row, index) {
			if (!source) return;
			const line = lineOfRow(source, index);
			row.dataset['line'] = String(line);
			row.style.setProperty('--heat', heatOfLine(source, line).toFixed(3));
			for (const column of columns) row.append(cellOf(column, index, line));
			light(row, index);
		},
		chosen(index) {
			if (source) actions.choose(lineOfRow(source, index));
		},
		open() {},
		menu(index, x, y) {
			if (source) actions.menu(lineOfRow(source, index), x, y);
		},
		hover(index, event) {
			const onCode = event.target instanceof Element && event.target.closest('.code');
			if (index === NONE || !source || onCode) {
				return app.showTip(event.clientX, event.clientY, null);
			}
			const line = lineOfRow(source, index);
			const { self, total, beforeSelf, beforeTotal } = source.heat;
			const before = (heat: ReadonlyMap<number, number> | null): number | null =>
				heat ? (heat.get(line) ?? 0) : null;
			app.showTip(event.clientX, event.clientY, [
				`line ${line}`,
				...weightLines(app, shown, 'self', self.get(line) ?? 0, before(beforeSelf)),
				...weightLines(app, shown, 'total', total.get(line) ?? 0, before(beforeTotal)),
			]);
		},
		// selecting text is no choice of a line
		click: () => (document.getSelection()?.toString() ?? '') !== '',
	});
	rows.table.addEventListener('copy', (event) => {
		const text = source ? selectedText(source, rows.table) : '';
		if (text === '' || !event.clipboardData) return;
		event.clipboardData.setData('text/plain', text);
		event.preventDefault();
	});
	const makeHead = (compared: boolean): void => {
		columns = compared
			? ['self', 'selfbefore', 'selfdiff', 'total', 'totaldiff', 'number', 'code']
			: ['self', 'total', 'number', 'code'];
		const cells = columns.map((column) => {
			const [label, title] = HEADS[column];
			const head = attributes(make('th', column, label), { scope: 'col', title: title || null });
			return label ? head : attributes(head, { 'aria-label': title });
		});
		rows.table.classList.toggle('compared', compared);
		rows.head.replaceChildren(attributes(make('tr', '', ...cells), { 'aria-rowindex': 1 }));
	};
	return {
		rows,
		set(next, nextShown, functions) {
			source = next;
			shown = nextShown;
			outline = functions;
			makeHead(shown.before !== null);
			rows.table.style.setProperty('--longest', `${Math.min(LONGEST + 30, next?.longest ?? 0)}ch`);
			rows.set(next?.rowCount ?? 0);
		},
		light: () => rows.each(light),
	};
}

/** How much of the text of a cell lies before a point in it. */
function lengthBefore(cell: Element, node: Node, offset: number): number {
	const range = document.createRange();
	range.setStart(cell, 0);
	range.setEnd(node, offset);
	return range.toString().length;
}

/** What of the source is selected: whole lines as they are in the file, without the numbers. */
function selectedText(source: SourceFile, table: HTMLTableElement): string {
	const range = document.getSelection()?.rangeCount ? document.getSelection()?.getRangeAt(0) : null;
	if (!range || !source.lines) return '';
	const at = (node: Node, offset: number): { row: number; within: number } | null => {
		const element = node instanceof Element ? node : node.parentElement;
		const line = element?.closest<HTMLElement>('[data-line]');
		if (!line || !table.contains(line)) return null;
		const cell = element?.closest('.code');
		const row = rowOfLine(source, Number(line.dataset['line']));
		return { row, within: cell ? lengthBefore(cell, node, offset) : 0 };
	};
	const [start, end] = [
		at(range.startContainer, range.startOffset),
		at(range.endContainer, range.endOffset),
	];
	if (!start) return '';
	const last = end ?? { row: start.row, within: Number.POSITIVE_INFINITY };
	const lines = source.lines.slice(start.row, last.row + 1);
	if (lines.length === 0) return '';
	lines[lines.length - 1] = lines[lines.length - 1].slice(0, last.within);
	lines[0] = lines[0].slice(start.within);
	return lines.join('\n');
}
