/**
 * The event loop: one thread that serves many guests. It dispatches handlers for ready descriptors, deadlines and run
 * queues, and a test steps it by hand ({@link org.vhostuserrng.transport.loop.EventLoop#doWork}). It knows neither
 * vhost-user nor virtqueues.
 */
package org.vhostuserrng.transport.loop;
