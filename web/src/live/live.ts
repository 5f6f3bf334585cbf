// SPDX-License-Identifier: MIT
/** A page that moves: fed by `fireglass serve`, keeps the last minutes, shows them anew each second. */
import { openPage } from '../app/page.js';
import type { LiveHost, PageApp } from '../app/page_app.js';
import { settleAll } from '../app/rest.js';
import type { Capture } from '../data/capture.js';
import { make, part } from '../ui/dom.js';
import { type Bar, type LiveState, makeBar, span } from './bar.js';
import { type LiveConfig, makeControl, type Status } from './control.js';
import { byHand, chosenSince, fromLink, inward, outward, sampleIn, stepState } from './follow.js';
import { makeMeter } from './meter.js';
import { addPiece, captureNow, makeRing, type Ring } from './ring.js';
import { type Link, openStream } from './stream.js';

const EACH_MS = 950; // pieces come every second, more or less
const SHARE = 4; // drawing takes at most a part in so many (and one) of the time
const STATUS_MS = 5000;
const AGAIN_NS = 2_000_000_000n; // that is asked for again, if pieces do not say where they end

/** A capture whose contents are those of the one that was set last: views may keep it. */
export function makeFacade(first: Capture): { capture: Capture; set(next: Capture): void } {
	let now = first;
	const capture = {} as Capture;
	for (const key of Object.keys(first) as (keyof Capture)[]) {
		Object.defineProperty(capture, key, { enumerable: true, get: () => now[key] });
	}
	return {
		capture,
		set(next) {
			now = next;
		},
	};
}

/** The capture that is shown, and how to show the next. */
function makeScreen(ring: Ring, first: Capture) {
	const facade = makeFacade(first);
	let shown = first;
	let { thinned } = ring;
	const since = (): number => Number(shown.startNs - ring.originNs);
	const host: LiveHost = {
		first: (state) => fromLink(state, shown.durationNs),
		byHand: (patch, state) => byHand(patch, state, shown.durationNs),
		address: {
			outward: (state) => outward(state, since(), shown.durationNs),
			inward: (state) => inward(state, since(), shown.durationNs),
		},
	};
	return {
		capture: facade.capture,
		host,
		/** Nanoseconds of what was recorded after what is shown. */
		behindNs: () => Math.max(0, ring.endNs - since() - shown.durationNs),
		/** False if what was chosen would be gone then. */
		show(app: PageApp): boolean {
			const next = captureNow(ring);
			if (!next) return true;
			settleAll();
			const byNs = Number(next.startNs - shown.startNs);
			if (byNs > 0 && chosenSince(app.state) < byNs) return false;
			const state = stepState(app.state, {
				durationNs: shown.durationNs,
				nextNs: next.durationNs,
				byNs,
				sample: sampleIn(shown, next, app.state.sample, byNs),
				thinned: thinned !== ring.thinned,
				reused: ring.reused.splice(0),
			});
			shown = next;
			facade.set(next);
			app.renew(next, state);
			thinned = ring.thinned;
			return true;
		},
	};
}

type Screen = ReturnType<typeof makeScreen>;

/** Whether something is being done that another picture would spoil: a drag, a menu. */
function makeHands(freed: () => void): () => boolean {
	let pressed = false;
	const set = (now: boolean) => (): void => {
		pressed = now;
		if (!now) setTimeout(freed);
	};
	addEventListener('pointerdown', set(true), true);
	for (const name of ['pointerup', 'pointercancel', 'blur', 'dragend']) {
		addEventListener(name, set(false), true);
	}
	document.addEventListener('visibilitychange', freed);
	return () => pressed || document.hidden || document.querySelector('.menu:not([hidden])') !== null;
}

const FILES = {
	html: ['html', 'text/html'],
	fgc: ['fgc', 'application/octet-stream'],
	folded: ['folded', 'text/plain'],
} as const;

/** Until there are samples. */
function wait(text: string): void {
	part('main').replaceChildren(make('div', 'note', make('p', '', text)));
}

/** From the first samples on. */
interface Open {
	readonly app: PageApp;
	readonly screen: Screen;
	readonly bar: Bar;
}

export function startLive(config: LiveConfig): void {
	const control = makeControl(config);
	const ring = makeRing(config.keepNs);
	const meter = makeMeter();
	let open: Open | null = null;
	let link: Link = { is: 'connecting' };
	let linkedAt = Date.now();
	let status: Status | null = null;
	let paused = false;
	let drawnAt = 0; // when the last picture was begun
	let restMs = EACH_MS;
	let later: ReturnType<typeof setTimeout> | undefined;

	const say = (text: string): void => open?.app.say(text);
	const now = (): LiveState => ({
		link,
		status,
		paused,
		behindNs: open?.screen.behindNs() ?? 0,
		perSecond: meter.perSecond(),
		silentMs: meter.silentMs(),
		againMs: link.is === 'lost' ? linkedAt + link.againMs - Date.now() : 0,
	});
	const pause = (wanted: boolean): void => {
		paused = wanted;
		if (!paused) show(true);
		open?.bar.refresh();
	};
	const isBusy = makeHands(() => show());
	const show = (must = false): void => {
		if (!open || paused || (isBusy() && !must) || open.screen.behindNs() === 0) return;
		const began = performance.now();
		const early = drawnAt + restMs - began;
		if (early > 0 && !must) {
			clearTimeout(later);
			later = setTimeout(show, early);
			return;
		}
		drawnAt = began;
		if (!open.screen.show(open.app)) {
			if (!must) {
				pause(true);
				say('Paused: what you selected would be gone otherwise');
				return;
			}
			open.app.set({ ranges: [], compare: null });
			open.screen.show(open.app);
		}
		requestAnimationFrame(() =>
			setTimeout(() => {
				restMs = Math.max(EACH_MS, (performance.now() - began) * SHARE);
			}),
		);
	};
	const askStatus = async (): Promise<void> => {
		try {
			status = await control.status();
		} catch {
			status = null; // the stream tells of what is wrong
		}
		open?.bar.refresh();
	};
	const setSampling = async (sampling: boolean): Promise<void> => {
		try {
			await control.set(sampling);
		} catch (error) {
			say(`That was refused: ${error instanceof Error ? error.message : error}`);
		}
		await askStatus();
	};
	const save = async (format: keyof typeof FILES): Promise<void> => {
		const [ending, type] = FILES[format];
		const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '');
		try {
			say('The file is being made');
			const blob = await control.profile(format, config.keepNs);
			open?.app.save(`fireglass-${stamp}.${ending}`, type, blob);
		} catch (error) {
			say(`It cannot be saved: ${error instanceof Error ? error.message : error}`);
		}
	};
	const begin = (first: Capture): void => {
		const screen = makeScreen(ring, first);
		openPage(screen.capture, null, {
			host: screen.host,
			start(app) {
				const bar = makeBar(app, {
					keepNs: config.keepNs,
					now,
					pause,
					retry: () => stream.now(),
					setSampling: (sampling) => void setSampling(sampling),
					save: (format) => void save(format),
				});
				open = { app, screen, bar };
				return bar;
			},
		});
	};
	const take = (piece: Capture): void => {
		addPiece(ring, piece);
		meter.add(piece.samples.count, ring.endNs);
		const first = open ? null : captureNow(ring);
		if (open) show();
		else if (first && first.durationNs > 0) begin(first);
	};
	/** Where the last piece ended. */
	const endOf = (): bigint => {
		const told = ring.latest?.facts.get('live_to_ns') ?? '';
		if (/^\d{1,19}$/.test(told)) return BigInt(told);
		return ring.originNs + BigInt(Math.round(ring.endNs)) - AGAIN_NS;
	};
	const stream = openStream({
		since: () => (ring.latest ? endOf() : 0n),
		rests: () => status?.ended === true,
		take,
		open: control.stream,
		tell(next) {
			link = next;
			linkedAt = Date.now();
			if (open) open.bar.refresh();
			else if (link.is === 'live') wait('Waiting for the first samples\u2026');
			else if ('why' in link) wait(`${link.why}. Trying again\u2026`);
		},
	});
	setInterval(() => open?.bar.refresh(), 1000);
	void askStatus();
	setInterval(() => void (document.hidden || askStatus()), STATUS_MS);
	wait(`Connecting\u2026 The last ${span(config.keepNs)} will be shown.`);
}
