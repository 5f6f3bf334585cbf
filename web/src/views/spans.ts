// SPDX-License-Identifier: MIT
/** The spans by kind and text: how many, how long, and what they cost; to cut and to compare by. */
import type { App, Change, MenuItem, View } from '../app/app.js';
import type { Span } from '../data/capture.js';
import { rangeOf } from '../model/samples.js';
import { spanLabel, spanLength } from '../model/spans.js';
import { attributes, button, make } from '../ui/dom.js';
import { formatNumber, formatTime } from '../ui/format.js';
import { makeFilter } from './table_model.js';
import { makeRows } from './table_rows.js';

const COLUMNS = [
	['count', 'Count', 'That lie in the range, or partly'],
	['total', 'Total', 'Their durations added up'],
	['cpu', 'Self CPU', 'CPU time of the samples in them, without spans within them'],
	['median', 'Median', 'Half of them last no longer'],
	['p95', '95 %', '19 of 20 last no longer'],
	['slowest', 'Slowest', 'The longest'],
	['label', 'Span', 'Kind and text'],
] as const;

type Key = (typeof COLUMNS)[number][0];

interface Group {
	readonly label: string;
	readonly count: number;
	readonly total: number; // nanoseconds, as what follows
	readonly cpu: number;
	readonly median: number;
	readonly p95: number;
	readonly slowest: number;
	readonly row: number; // of the slowest
	readonly pattern: string; // that means them
}

/** As the text of a regular expression. */
const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function groupOf(app: App, label: string, spans: Span[], cpu: Float64Array, kinds: boolean): Group {
	const long = (span: Span): number => spanLength(app.capture, span);
	spans.sort((a, b) => long(a) - long(b));
	const at = (share: number): number => long(spans[Math.ceil(spans.length * share) - 1]);
	return {
		label,
		count: spans.length,
		total: spans.reduce((sum, span) => sum + long(span), 0),
		cpu: spans.reduce((sum, span) => sum + cpu[span.row + 1], 0),
		median: at(0.5),
		p95: at(0.95),
		slowest: at(1),
		row: spans[spans.length - 1].row,
		pattern: `^${literal(label)}${kinds ? '( |$)' : '$'}`,
	};
}

function groupsOf(app: App, kinds: boolean): Group[] {
	const { spans, samples } = app.capture;
	const { from, to } = rangeOf(app.capture, app.state);
	const cpu = new Float64Array(spans.length + 1);
	const groups = new Map<string, Span[]>();
	for (let row = 0; row < samples.count; row++) {
		if (samples.span) cpu[samples.span[row]] += samples.cpuNs[row];
	}
	for (const span of spans) {
		const label = kinds ? span.name : spanLabel(span);
		if (span.startNs >= to || (span.endNs ?? to) < from) continue;
		const group = groups.get(label);
		if (group) group.push(span);
		else groups.set(label, [span]);
	}
	return [...groups].map(([label, own]) => groupOf(app, label, own, cpu, kinds));
}

function startSpans(root: HTMLElement, app: App) {
	root.classList.add('panel', 'table-view', 'spans-view');
	const input = attributes(make('input', 'panel-filter'), {
		type: 'search',
		placeholder: 'Filter: text or /regex/',
		'aria-label': 'Filter the spans',
	});
	const found = attributes(make('span', 'panel-sum dim'), { role: 'status' });
	let kinds = false;
	const byKind = button('', 'By kind', 'One row for each kind, whatever its text', () => {
		kinds = !kinds;
		attributes(byKind, { 'aria-pressed': kinds });
		remake();
	});
	root.append(make('div', 'panel-tools', input, found, byKind));
	let groups: Group[] = [];
	const cut = (spans: string, against = ''): void => app.set({ spans, against }, 'step');
	const menuOf = ({ pattern, row, label, p95 }: Group): MenuItem[] => [
		{ label: 'Only these', run: () => cut(pattern) },
		{ label: 'Only the slowest one', run: () => cut(`#${row}`) },
		{
			label: 'The slowest 5 % against the others',
			run: () => cut(`${pattern}~${p95}~`, `${pattern}~~${p95}`),
		},
		{
			label: 'Compare what is shown with these',
			run: () => app.set({ against: pattern }, 'step'),
		},
		{ label: 'Copy the name', run: () => app.copy(label, 'the name') },
	];
	const rows = makeRows({
		role: 'grid',
		label: 'Spans',
		id: 'span-row',
		fill(tr, index) {
			const group = groups[index];
			for (const [key] of COLUMNS) {
				const value = group[key];
				const text = key === 'count' || key === 'label' ? `${value}` : formatTime(Number(value));
				tr.append(make('td', key === 'label' ? 'name' : 'number', text));
			}
		},
		chosen: (index) => cut(groups[index].pattern),
		open: (index) => cut(`#${groups[index].row}`),
		menu: (index, x, y) => app.showMenu(x, y, menuOf(groups[index])),
		hover() {},
	});
	root.append(rows.element);
	const sortOf = (): [Key, number] => {
		const [, back, key] = /^(-?)(.*)$/.exec(app.state.sort) ?? [];
		const known = COLUMNS.find(([name]) => name === key)?.[0] ?? 'total';
		return [known, (known === 'label') === (back === '') ? 1 : -1];
	};
	const remake = (): void => {
		const { test } = makeFilter(app.state.filter);
		const [key, sign] = sortOf();
		groups = groupsOf(app, kinds).filter((group) => test(group.label));
		groups.sort((a, b) => sign * (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));
		found.textContent = formatNumber(groups.length, 'row');
		rows.head.replaceChildren(
			make(
				'tr',
				'',
				...COLUMNS.map(([name, label, title]) => {
					const sort = (): void =>
						app.set(
							{ sort: key === name && app.state.sort[0] !== '-' ? `-${name}` : name },
							'step',
						);
					const way = name !== key ? null : sign > 0 ? 'ascending' : 'descending';
					const head = make('th', name === 'label' ? '' : 'number', button('', label, title, sort));
					return attributes(head, { scope: 'col', 'aria-sort': way });
				}),
			),
		);
		rows.set(groups.length);
		rows.moveTo(
			groups.findIndex((group) => group.pattern === app.state.spans),
			'no',
		);
	};
	input.addEventListener('input', () => app.set({ filter: input.value }, 'move'));
	return {
		rows,
		update(changed: ReadonlySet<Change>): void {
			if (input.value !== app.state.filter) input.value = app.state.filter;
			if (changed.has('size')) rows.resize();
			if (['ranges', 'sort', 'filter', 'spans', 'capture'].some((c) => changed.has(c as Change)))
				remake();
		},
	};
}

export function makeSpans(): View {
	let view: ReturnType<typeof startSpans> | null = null;
	return {
		mount(root, app) {
			view = startSpans(root, app);
		},
		update: (changed) => view?.update(changed),
		key: (event) => view?.rows.key(event) ?? false,
		help: [
			['Click, arrow keys', 'cut all views to the samples of these spans'],
			['Enter, double click', 'only the slowest one'],
			['Right click, long press, Shift+F10', 'the slowest against the others, and more'],
		],
	};
}
