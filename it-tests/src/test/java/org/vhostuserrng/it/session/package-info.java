/** Tests of whole sessions: device state, device status, inflight region, hostile front-ends. */
package org.vhostuserrng.it.session;
