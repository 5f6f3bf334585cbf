// SPDX-License-Identifier: MIT
/** What the page asks of `fireglass serve` besides the stream (docs/openapi.yaml). */

/** In the page, in place of a capture: id "live". */
export interface LiveConfig {
	readonly base: string; // of all addresses, ends in "/"
	readonly keepNs: number;
	readonly token: string;
}

export interface Status {
	readonly sampling: boolean; // or it is about to begin
	readonly ended: boolean; // the program is gone
}

export interface Control {
	stream(since: bigint, signal: AbortSignal): Promise<Response>;
	status(): Promise<Status>;
	/** Rejects with what the server says. */
	set(sampling: boolean): Promise<void>;
	/** The last so many nanoseconds in an export format. */
	profile(format: string, lastNs: number): Promise<Blob>;
}

const KEEP_NS = 600e9;

/** Of the text in the page; null if there is none. */
export function readConfig(text: string): LiveConfig {
	const json = JSON.parse(text) as Readonly<Record<string, unknown>>;
	const { base, keep_ns: keep, token } = json;
	return {
		base: typeof base === 'string' && base.endsWith('/') ? base : '/',
		keepNs: typeof keep === 'number' && keep > 0 ? keep : KEEP_NS,
		token: typeof token === 'string' ? token : '',
	};
}

/** What the server says is wrong, in a line. */
export async function whyNot(response: Response): Promise<string> {
	const text = (await response.text()).trim().slice(0, 1000);
	try {
		const json = JSON.parse(text) as Readonly<Record<string, unknown>>;
		const said = [json.error, json.detail, json.title].find((t) => typeof t === 'string' && t);
		if (said) return String(said);
	} catch {
		// no JSON: then it is the text
	}
	return /^[^<]{1,300}$/.test(text) ? text : `${response.status} ${response.statusText}`.trim();
}

export function makeControl({ base, token }: LiveConfig): Control {
	const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
		fetch(base + path, {
			...init,
			cache: 'no-store',
			headers: token ? { Authorization: `Bearer ${token}` } : {},
		});
	const get = async (path: string, init?: RequestInit): Promise<Response> => {
		const response = await ask(path, init);
		if (!response.ok) throw new Error(await whyNot(response));
		return response;
	};
	return {
		stream: (since, signal) => ask(`api/v1/stream?since=${since}`, { signal }),
		async status() {
			const json = (await (await get('api/v1/status')).json()) as Record<string, unknown>;
			return { sampling: json.state !== 'stopped', ended: json.state === 'ended' };
		},
		async set(sampling) {
			await get(`api/v1/${sampling ? 'start' : 'stop'}`, { method: 'POST' });
		},
		async profile(format, lastNs) {
			const seconds = Math.max(1, Math.floor(lastNs / 1e9));
			const path = `api/v1/profile?seconds=${seconds}&last=1&format=${format}`;
			return (await get(path)).blob();
		},
	};
}
