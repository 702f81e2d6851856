"""The same jobs where one machine ends, on Ray; nothing here is imported unless asked for.

    with connected("ray"):
        keep_on_ray(corpus, ...)                        # `maeum features --on ray`
        run_study(study, corpus, to, executor=OnTune())  # `maeum study run --on ray`

`connection` finds or starts a cluster, `check` says what it offers, `streams` hands pieces to
actors that hold a model once each, `features` and `predictions` are such streams, `trials` runs
pieces of work as trials of Ray Tune, `training` trains in several processes under Ray Train,
`serving` deploys the service on Ray Serve.
"""
