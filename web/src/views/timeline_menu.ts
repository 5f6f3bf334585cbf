// SPDX-License-Identifier: MIT
/** What can be done with a track, a process, a selection: menus, and the list of all tracks. */
import type { MenuItem } from '../app/app.js';
import type { Tracks } from '../app/state.js';
import { button, make } from '../ui/dom.js';
import type { Row } from './timeline_layout.js';
import { lastRange, type Timeline } from './timeline_parts.js';
import { clampWindow } from './timeline_window.js';
import { processName, threadName, trackName } from './timeline_words.js';

export function setTracks(t: Timeline, patch: Partial<Tracks>): void {
	t.app.set({ tracks: { ...t.app.state.tracks, window: windowToKeep(t), ...patch } }, 'step');
}

/** The window as the state holds it: null if all is shown. */
export function windowToKeep(t: Timeline): Tracks['window'] {
	const all = t.window.from <= 0 && t.window.to >= t.capture.durationNs;
	return all ? null : t.window;
}

export function hide(t: Timeline, threads: readonly number[]): void {
	setTracks(t, { hidden: [...new Set([...t.app.state.tracks.hidden, ...threads])] });
}

export function showOnly(t: Timeline, threads: readonly number[]): void {
	const only = new Set(threads);
	const hidden = t.capture.threads.map((thread) => thread.row).filter((row) => !only.has(row));
	setTracks(t, { hidden });
}

export function toggleTall(t: Timeline, key: number): void {
	if (!t.tall.delete(key)) t.tall.add(key);
	t.relayout();
}

export function toggleProcess(t: Timeline, process: number): void {
	if (!t.collapsed.delete(process)) t.collapsed.add(process);
	t.relayout();
}

/** Shows the range in force, with a little around it. */
export function zoomToRange(t: Timeline): boolean {
	const range = lastRange(t);
	if (range === null) return false;
	const margin = (range.to - range.from) * 0.02;
	const wanted = { from: range.from - margin, to: range.to + margin };
	t.show(clampWindow(wanted, t.capture.durationNs));
	return true;
}

/** The range in force goes; the one around it is in force again. */
export function popRange(t: Timeline): boolean {
	const { ranges } = t.app.state;
	if (ranges.length === 0) return false;
	t.app.set({ ranges: ranges.slice(0, -1) }, 'step');
	return true;
}

function selectionItems(t: Timeline): MenuItem[] {
	const { ranges, compare } = t.app.state;
	const items: MenuItem[] = [];
	if (ranges.length > 0) {
		items.push({ label: 'Zoom to the selection', key: 'z', run: () => void zoomToRange(t) });
		items.push({ label: 'Clear the selection', key: 'Esc', run: () => void popRange(t) });
	}
	if (compare !== null) {
		items.push({
			label: 'Clear the range to compare with',
			run: () => t.app.set({ compare: null }, 'step'),
		});
	}
	return items;
}

/** Menu of a row, or of the whole if there is no row. */
export function trackMenu(t: Timeline, x: number, y: number, row: Row | null): void {
	const items: MenuItem[] = [];
	if (row !== null && row.kind !== 'lane') {
		const { threads } = row;
		const name =
			row.kind === 'track' ? trackName(t, threads) : `process ${processName(t, row.process)}`;
		items.push({ label: name });
		if (row.kind === 'track') {
			const label = row.tall ? 'Make lower' : 'Make taller';
			items.push({ label, run: () => toggleTall(t, threads[0]) });
		} else {
			const label = row.collapsed ? 'Show its threads' : 'Collapse';
			items.push({ label, run: () => toggleProcess(t, row.process) });
		}
		items.push({ label: 'Hide', run: () => hide(t, threads) });
		items.push({ label: 'Show only this', run: () => showOnly(t, threads) });
	}
	if (t.app.state.tracks.hidden.length > 0) {
		items.push({ label: 'Show all tracks', run: () => setTracks(t, { hidden: [] }) });
	}
	t.app.showMenu(x, y, [...items, ...selectionItems(t)]);
}

const ORDERS: readonly (readonly [Tracks['order'], string])[] = [
	['main', 'main threads first'],
	['start', 'by start'],
	['name', 'by name'],
	['busy', 'busiest first'],
];

function checkbox(
	label: string,
	checked: boolean,
	change: (on: boolean) => void,
): HTMLLabelElement {
	const box = make('input');
	box.type = 'checkbox';
	box.checked = checked;
	box.addEventListener('change', () => change(box.checked));
	const line = make('label', 'tl-check', box, make('span', '', label));
	line.title = label;
	return line;
}

/** The list of tracks: which are shown, in which order, merged or not. Made when it is opened. */
export function fillTracksPanel(t: Timeline, panel: HTMLElement): void {
	const focused = document.activeElement;
	const kept = focused instanceof HTMLElement && panel.contains(focused) ? focused.dataset.id : '';
	const { tracks } = t.app.state;
	const order = make('select');
	for (const [value, label] of ORDERS) order.append(new Option(label, value));
	order.value = tracks.order;
	order.dataset.id = 'order';
	order.addEventListener('change', () => {
		const chosen = ORDERS.find(([value]) => value === order.value);
		if (chosen !== undefined) setTracks(t, { order: chosen[0] });
	});
	const orderLine = make('label', 'tl-check', 'Order ', order);
	const merged = checkbox('Merge threads of one name', tracks.merged, (on) =>
		setTracks(t, { merged: on }),
	);
	const all = button('', 'Show all', '', () => setTracks(t, { hidden: [] }));
	all.dataset.id = 'all';
	const head = make('div', 'tl-panel-head', orderLine, merged, all);
	const list = make('div', 'tl-panel-list');
	const scroll = panel.querySelector('.tl-panel-list')?.scrollTop ?? 0;
	listThreads(t, list);
	panel.replaceChildren(head, list);
	list.scrollTop = scroll;
	if (!kept) return;
	for (const each of panel.querySelectorAll<HTMLElement>('[data-id]')) {
		if (each.dataset.id === kept) each.focus();
	}
}

function listThreads(t: Timeline, list: HTMLElement): void {
	const hidden = new Set(t.app.state.tracks.hidden);
	const set = (threads: readonly number[], on: boolean) => {
		const now = new Set(t.app.state.tracks.hidden);
		for (const thread of threads) {
			if (on) now.delete(thread);
			else now.add(thread);
		}
		setTracks(t, { hidden: [...now] });
	};
	for (const process of t.capture.processes) {
		const threads = t.capture.threads.filter((th) => th.process === process.row && th.count > 0);
		if (threads.length === 0) continue;
		const rows = threads.map((thread) => thread.row);
		const some = rows.some((row) => !hidden.has(row));
		const title = checkbox(`process ${processName(t, process.row)}`, some, (on) => set(rows, on));
		title.classList.add('tl-check-process');
		mark(title, `p${process.row}`, some && rows.some((row) => hidden.has(row)));
		list.append(title);
		for (const thread of threads) {
			const line = checkbox(threadName(t, thread.row), !hidden.has(thread.row), (on) =>
				set([thread.row], on),
			);
			mark(line, `t${thread.row}`, false);
			list.append(line);
		}
	}
}

/** So that the focus can be given back when the list is made anew. */
function mark(line: HTMLElement, id: string, mixed: boolean): void {
	const box = line.querySelector('input');
	if (box === null) return;
	box.dataset.id = id;
	box.indeterminate = mixed;
}
