// SPDX-License-Identifier: MIT
/** The head of the page: what was recorded, and whether to trust it. */
import type { PageApp } from '../app/page_app.js';
import type { Capture } from '../data/capture.js';
import { Flag } from '../data/capture.js';
import { button, make } from './dom.js';
import { formatNumber, formatOf, formatPercent, formatRate, formatTime } from './format.js';

/** Weight of all samples, in the capture's unit. */
export function weightOf(capture: Capture): number {
	const { count, weight } = capture.samples;
	return weight === null ? count : weight.reduce((sum, w) => sum + w, 0);
}

/** "3.00 s", "16 460 samples", "1 kHz", "8 threads": what a capture holds, in short. */
export function summaryOf(capture: Capture): string[] {
	const { periodNs, durationNs, threads, processes, unit, facts, title } = capture;
	const python = facts.get('python');
	const weight = weightOf(capture);
	return [
		python && !title.includes(python) ? `Python ${python}` : '',
		capture.timed ? formatTime(durationNs) : '',
		formatOf(weight, unit),
		periodNs === 1 ? 'measured' : formatRate(periodNs),
		processes.length > 1 ? formatNumber(processes.length, 'process', 'processes') : '',
		formatNumber(threads.filter((t) => t.count > 0).length, 'thread'),
	].filter((text) => text !== '');
}

/** The command of the first process, and how many others there are. */
export function commandOf(capture: Capture): string {
	const commands = capture.processes.map((p) => p.command).filter((text) => text !== '');
	const more = commands.length - 1;
	return more > 0 ? `${commands[0]} (and ${more} more)` : (commands[0] ?? '');
}

/** What is wrong with the samples, the worst first, as short phrases; [] if nothing is. */
export function doubtsOf(capture: Capture): string[] {
	const { losses, samples, facts } = capture;
	const sum = (kind: string): number =>
		losses.reduce((n, loss) => n + (loss.kind === kind ? loss.count : 0), 0);
	let cut = 0;
	for (let i = 0; i < samples.count; i++) {
		if (samples.flags[i] & (Flag.Cut | Flag.Unreadable)) cut++;
	}
	const missed = sum('missed');
	const ticks = Number(facts.get('ticks') ?? Number.NaN);
	const ofTicks = ticks > 0 ? ` (${formatPercent(missed / (missed + ticks))})` : '';
	const lost = sum('no room') + sum('no space');
	const kept = ` (${formatPercent(lost / Math.max(1, lost + samples.count))})`;
	const cutShare = ` (${formatPercent(cut / Math.max(1, samples.count))})`;
	return [
		lost > 0 ? `${formatNumber(lost, 'sample')} lost${kept}` : '',
		missed > 0 ? `${formatNumber(missed, 'tick')} missed${ofTicks}` : '',
		cut > 0 ? `${formatNumber(cut, 'sample')} cut${cutShare}` : '',
	].filter((text) => text !== '');
}

/**
 * Fills the head: what was recorded, the search if there is one, buttons at its right end. To be
 * refreshed when the capture is another one.
 */
export function fillHead(
	head: HTMLElement,
	app: PageApp,
	search: HTMLElement | null,
	actions: readonly HTMLElement[],
): { refresh(): void } {
	const { capture, baseline } = app;
	const title = make('h1', '', capture.title || 'fireglass');
	title.title = capture.title;
	const command = make('code', 'head-command', commandOf(capture));
	command.title = command.textContent ?? '';
	const facts = make('ul', 'head-facts');
	const badge = button('badge', '', '', () => app.set({ view: 'trust' }, 'step'));
	const refresh = (): void => {
		facts.replaceChildren(...summaryOf(capture).map((t) => make('li', '', t)));
		const doubts = doubtsOf(capture);
		badge.textContent = doubts[0] ?? '';
		badge.title = `${doubts.join(', ')}: what that means`;
		badge.hidden = doubts.length === 0;
	};
	refresh();
	const before = baseline ? make('p', 'head-before', `against ${baseline.title}`) : null;
	if (before) before.title = baseline ? summaryOf(baseline).join(', ') : '';
	const about = make('div', 'head-about', title, before, command, facts, badge);
	head.replaceChildren(about, search ?? '', make('div', 'head-actions', ...actions));
	document.title = capture.title ? `${capture.title} \u2013 fireglass` : 'fireglass';
	return { refresh };
}
