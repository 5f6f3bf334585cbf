// SPDX-License-Identifier: MIT
/** The filter of threads and processes: a list with boxes to tick, counts, and a field to narrow it. */
import type { Change } from '../app/app.js';
import { hasStates } from '../app/check.js';
import type { PageApp } from '../app/page_app.js';
import type { Capture, Process, Thread } from '../data/capture.js';
import { SampleState } from '../data/capture.js';
import { attributes, button, make } from './dom.js';
import { formatCount, formatNumber } from './format.js';
import { makePopover } from './popover.js';

const MOST_ROWS = 400;

export interface ThreadFilter {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
}

/** "worker-1", or its id if it has no name. */
export function threadName(thread: Thread): string {
	return thread.name || (thread.tid ? `thread ${thread.tid}` : `thread ${thread.row + 1}`);
}

function processName(process: Process | undefined): string {
	if (!process) return 'no process';
	const name = process.name || 'process';
	return process.pid ? `${name} (${process.pid})` : name;
}

/** Threads that match a text by name or number, or whose process does. */
export function matchThreads(
	threads: readonly Thread[],
	processes: readonly Process[],
	text: string,
): readonly Thread[] {
	const wanted = text.trim().toLowerCase();
	if (wanted === '') return threads;
	const has = (words: string): boolean => words.toLowerCase().includes(wanted);
	return threads.filter(
		(thread) =>
			has(`${threadName(thread)} ${thread.tid}`) || has(processName(processes[thread.process])),
	);
}

/** By thread: samples in which it ran or was ready to; all of them if states are not known. */
export function busySamples(capture: Capture): Float64Array {
	const { samples, threads } = capture;
	const busy = new Float64Array(threads.length);
	const known = hasStates(capture);
	for (const { row, first, count } of threads) {
		for (let i = first; i < first + count; i++) {
			const state = samples.state[i];
			if (!known || state === SampleState.OnCpu || state === SampleState.Runnable) busy[row]++;
		}
	}
	return busy;
}

/** The busiest first within their process; processes in their order. */
function byProcess(
	threads: readonly Thread[],
	busy: Float64Array,
): ReadonlyMap<number, readonly Thread[]> {
	const groups = new Map<number, Thread[]>();
	const order = (a: Thread, b: Thread): number =>
		a.process - b.process || busy[b.row] - busy[a.row] || b.count - a.count || a.row - b.row;
	for (const thread of [...threads].sort(order)) {
		const group = groups.get(thread.process);
		if (group) group.push(thread);
		else groups.set(thread.process, [thread]);
	}
	return groups;
}

export function makeThreadFilter(app: PageApp): ThreadFilter {
	const { capture } = app;
	let busy: Float64Array = new Float64Array(0); // counted when the list is filled
	let of: object | null = null; // the samples that it was counted of
	const filter = attributes(make('input'), {
		type: 'search',
		placeholder: 'Filter',
		'aria-label': 'Filter the list of threads',
		'data-first': true,
	});
	const list = make('div', 'threads-list');
	const setHidden = (hidden: Iterable<number>): void =>
		app.set({
			tracks: { ...app.state.tracks, hidden: [...new Set(hidden)].sort((a, b) => a - b) },
		});
	const setShown = (rows: readonly number[], shown: boolean): void => {
		const { hidden } = app.state.tracks;
		setHidden(shown ? hidden.filter((row) => !rows.includes(row)) : [...hidden, ...rows]);
	};
	const showOnly = (rows: readonly number[]): void =>
		setHidden(capture.threads.map((t) => t.row).filter((row) => !rows.includes(row)));

	/** A box to tick, a name, a bar for how busy it was and a count, for a thread or a process. */
	const addRow = (className: string, name: string, group: readonly Thread[]): void => {
		const rows = group.map((thread) => thread.row);
		const count = group.reduce((n, thread) => n + thread.count, 0);
		const ran = rows.reduce((n, row) => n + busy[row], 0);
		const hidden = new Set(app.state.tracks.hidden);
		const shown = rows.filter((row) => !hidden.has(row)).length;
		const box = attributes(make('input'), { type: 'checkbox' });
		box.checked = shown === rows.length;
		box.indeterminate = shown > 0 && shown < rows.length;
		box.addEventListener('change', () => setShown(rows, box.checked));
		const text = make('span', 'threads-name', name);
		text.title = name;
		const bar = make('span', 'threads-bar');
		bar.title = `busy in ${formatCount(ran)} of ${formatNumber(count, 'sample')}`;
		bar.style.setProperty('--share', String(ran / Math.max(1, count)));
		const label = make(
			'label',
			'',
			box,
			text,
			bar,
			make('span', 'threads-count', formatCount(count)),
		);
		const only = button('threads-only', 'only', `Show only ${name}`, () => showOnly(rows));
		list.append(make('div', `threads-row ${className}`, label, only));
	};
	const fillList = (): void => {
		const at = [...list.querySelectorAll('input, button')].indexOf(document.activeElement ?? list);
		list.replaceChildren();
		if (of !== capture.samples) busy = busySamples(capture);
		of = capture.samples;
		const { processes } = capture;
		const threads = capture.threads.filter((thread) => thread.count > 0);
		const matching = matchThreads(threads, processes, filter.value);
		let room = MOST_ROWS;
		for (const [process, group] of byProcess(matching, busy)) {
			if (room <= 0) break;
			if (processes.length > 1) {
				addRow('threads-process', processName(processes[process]), group);
			}
			for (const one of group.slice(0, room)) addRow('', threadName(one), [one]);
			room -= group.length;
		}
		const more = matching.length - MOST_ROWS;
		const words = `and ${formatCount(more)} more: filter to see them`;
		if (more > 0) list.append(make('p', 'dim', words));
		if (matching.length === 0) list.append(make('p', 'dim', 'No thread is called so.'));
		// the list is made anew under the hands of whoever goes through it by keys
		if (at >= 0) list.querySelectorAll<HTMLElement>('input, button')[at]?.focus();
	};
	const matching = (): readonly number[] =>
		matchThreads(capture.threads, capture.processes, filter.value).map((thread) => thread.row);
	const popover = makePopover('', 'Threads that are shown and counted', (panel) => {
		if (!panel.firstChild) {
			const all = button('', 'All', 'Show all that the filter leaves', () =>
				setShown(matching(), true),
			);
			const none = button('', 'None', 'Hide all that the filter leaves', () =>
				setShown(matching(), false),
			);
			panel.classList.add('threads');
			panel.append(make('div', 'threads-head', filter, all, none), list);
		}
		fillList();
	});
	filter.addEventListener('input', fillList);
	return {
		element: popover.button,
		update(changed) {
			if (!changed.has('tracks') && !changed.has('capture')) return;
			const threads = capture.threads.filter((thread) => thread.count > 0);
			const { hidden } = app.state.tracks;
			const shown = threads.filter((thread) => !hidden.includes(thread.row)).length;
			const some = shown < threads.length;
			popover.button.textContent = some
				? `${formatCount(shown)} of ${formatNumber(threads.length, 'thread')}`
				: `All ${formatNumber(threads.length, 'thread')}`;
			popover.button.classList.toggle('changed', some);
			if (popover.isOpen()) fillList();
		},
	};
}
