# SPDX-License-Identifier: MIT
"""press: a small publishing service, as an example program to profile.

It keeps a few hundred wiki pages in memory and serves requests from a queue with a pool of worker
threads: pages are parsed, linked, rendered and cached; searches are ranked; edits are indexed. A
journal thread writes to disk, an archive thread stores revisions, a housekeeping thread finds
related pages, a heartbeat thread renews a lease. Everything is the standard library's and works
offline; the content is the same in each run.
"""
