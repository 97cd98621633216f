/**
 * The event loop: one thread that serves many guests. It dispatches handlers for ready descriptors, deadlines and run
 * queues. A test can run single iterations ({@link org.vhostuserrng.transport.loop.EventLoop#doWork}). The package is
 * independent of vhost-user and of virtqueues.
 */
package org.vhostuserrng.transport.loop;
