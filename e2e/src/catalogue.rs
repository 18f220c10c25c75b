//! Every metric of the embedded system: name, type and labels. What is not here must not be there.

/// Name, type, labels (in alphabetical order, without `le`).
pub type Line = (&'static str, &'static str, &'static str);

/// In both services.
pub const BOTH: &[Line] = &[
    ("myevents_request_total", "counter", "method route status"),
    ("myevents_request_duration_seconds", "histogram", "method route"),
    ("myevents_upstream_latency_microseconds", "summary", "method route"),
    ("myevents_http_requests_in_flight", "gauge", ""),
    ("myevents_http_request_size_bytes", "histogram", "method"),
    ("myevents_http_response_size_bytes", "histogram", "method"),
    ("myevents_http_rejected_total", "counter", "reason"),
    ("myevents_http_panics_total", "counter", ""),
    ("myevents_messages_published_total", "counter", "message result"),
    ("myevents_messages_publish_duration_seconds", "histogram", ""),
    ("myevents_messages_consumed_total", "counter", "message queue result"),
    ("myevents_messages_process_duration_seconds", "histogram", "message queue"),
    ("myevents_message_age_seconds", "histogram", "queue"),
    ("myevents_clock_skew_total", "counter", ""),
    ("myevents_dead_letters", "gauge", "queue"),
    ("myevents_outbox_pending_messages", "gauge", ""),
    ("myevents_outbox_oldest_pending_timestamp_seconds", "gauge", ""),
    ("myevents_outbox_relay_active", "gauge", ""),
    ("myevents_outbox_dispatched_total", "counter", "result"),
    ("myevents_outbox_dispatch_duration_seconds", "histogram", ""),
    ("myevents_store_commit_duration_seconds", "histogram", ""),
    ("myevents_store_commit_rows", "histogram", ""),
    ("myevents_store_write_queue", "gauge", ""),
    ("myevents_data_free_bytes", "gauge", ""),
    ("myevents_build_info", "gauge", "revision rustc target version"),
    ("myevents_memory_limit_bytes", "gauge", ""),
    ("myevents_services_in_process", "gauge", ""),
    ("myevents_log_lines_dropped_total", "counter", ""),
    ("process_cpu_seconds_total", "counter", ""),
    ("process_resident_memory_bytes", "gauge", ""),
    ("process_virtual_memory_bytes", "gauge", ""),
    ("process_virtual_memory_max_bytes", "gauge", ""),
    ("process_open_fds", "gauge", ""),
    ("process_max_fds", "gauge", ""),
    ("process_start_time_seconds", "gauge", ""),
    ("process_threads", "gauge", ""),
    ("tokio_workers", "gauge", "runtime"),
    ("tokio_alive_tasks", "gauge", "runtime"),
    ("tokio_global_queue_depth", "gauge", "runtime"),
    ("myevents_event_loop_lag_seconds", "histogram", "runtime"),
];

/// In the event service only.
pub const EVENTS: &[Line] = &[
    ("myevents_events_created_total", "counter", ""),
    ("myevents_locations_created_total", "counter", ""),
    ("myevents_view_seat_changes", "gauge", ""),
];

/// In the booking service only.
pub const BOOKINGS: &[Line] = &[
    ("myevents_bookings_count", "counter", "eventID eventName"),
    ("myevents_seats_per_booking", "histogram", ""),
    ("myevents_booked_seats_total", "counter", ""),
    ("myevents_bookings_accepted_total", "counter", ""),
    ("myevents_booking_replays_total", "counter", ""),
    ("myevents_bookings_cancelled_total", "counter", ""),
    ("myevents_cancelled_seats_total", "counter", ""),
    ("myevents_booking_rejections_total", "counter", "reason"),
    ("myevents_seat_changes", "gauge", ""),
    ("myevents_seats_confirmed", "gauge", ""),
    ("myevents_label_overflow_total", "counter", "metric"),
];
