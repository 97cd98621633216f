/** Sessions as a whole: device state, device status, inflight region, hostile front-ends. */
package org.vhostuserrng.it.session;
